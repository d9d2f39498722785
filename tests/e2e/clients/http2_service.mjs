// A service of HTTP/2 without TLS on loopback, by Node: says its port, then answers until it is killed.
// POST /service/Call: each piece as it comes, then trailers; /service/Fail: trailers alone; CONNECT: an echo.
import http2 from 'node:http2';

const server = http2.createServer({ settings: { enableConnectProtocol: true } });
server.on('stream', (stream, fields) => {
  stream.on('error', () => {});
  if (fields[':method'] === 'CONNECT') {
    stream.respond({ ':status': fields[':protocol'] === 'websocket' ? 200 : 400 });
    stream.pipe(stream);
    return;
  }
  if (fields[':path'] === '/service/Fail') {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true });
    stream.resume();
    return;
  }
  let sum = 0;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({
    'grpc-status': '0', 'x-sum': String(sum), 'x-te': fields.te, 'x-asked': stream.asked }));
  stream.on('trailers', (trailers) => { stream.asked = trailers['x-asked']; });
  stream.on('data', (piece) => { sum += piece.length; stream.write(piece); });
  stream.on('end', () => stream.end());
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
