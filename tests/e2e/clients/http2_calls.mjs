// Calls as gRPC makes them, and a WebSocket's extended CONNECT (RFC 8441), by Node's HTTP/2 client.
// usage: http2_calls.mjs PORT CA
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import http2 from 'node:http2';

const [port, ca] = process.argv.slice(2);
const session = http2.connect(`https://localhost:${port}`, { ca: readFileSync(ca) });
session.on('error', (error) => { console.error(error); process.exit(1); });
await once(session, 'remoteSettings');

const call = (path) => session.request(
  { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' }, { waitForTrailers: true });
const heard = async (stream) => Buffer.from(await once(stream, 'data').then(([piece]) => piece)).toString();

// Both ways at once: each message is answered before the next is sent.
const talk = call('/service/Call');
talk.on('wantTrailers', () => talk.sendTrailers({ 'x-asked': 'yes' }));
const trailers = once(talk, 'trailers');
for (const message of ['one', 'two', 'three']) {
  talk.write(message);
  const echo = await heard(talk);
  if (echo !== message) throw new Error(`${echo} for ${message}`);
}
talk.end();
talk.resume();
const [last] = await trailers;
console.log('call', last['grpc-status'], last['x-sum'], last['x-te'], last['x-asked']);

const fail = call('/service/Fail');
fail.on('wantTrailers', () => fail.sendTrailers({}));
fail.end('question');
const [head] = await once(fail, 'response');
fail.resume();
await once(fail, 'end');
console.log('fail', head[':status'], head['grpc-status']);

if (!session.remoteSettings.enableConnectProtocol) throw new Error('no extended CONNECT');
const socket = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/socket',
  ':scheme': 'https', ':authority': `localhost:${port}`, 'sec-websocket-version': '13' });
const [opened] = await once(socket, 'response');
socket.write('ping');
console.log('socket', opened[':status'], await heard(socket));
socket.end();
socket.resume();
await once(socket, 'close');
session.close();
