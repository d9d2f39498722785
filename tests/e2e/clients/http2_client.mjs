// Many streams at once on one connection of Node's HTTP/2 client. usage: http2_client.mjs PORT CA
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

const [port, ca] = process.argv.slice(2);
const session = http2.connect(`https://127.0.0.1:${port}`, { ca: readFileSync(ca) });
const exchange = (fields, body) => new Promise((resolve, reject) => {
  const stream = session.request(fields);
  const pieces = [];
  let status;
  stream.on('response', (answer) => { status = answer[':status']; });
  stream.on('data', (piece) => pieces.push(piece));
  stream.on('end', () => resolve([status, Buffer.concat(pieces)]));
  stream.on('error', reject);
  stream.end(body);
});
session.on('error', (error) => { console.error(error); process.exit(1); });

const bodies = Array.from({ length: 50 }, (_, n) => Buffer.alloc(n * 5000, String(n)));
const answers = await Promise.all(bodies.map((body) => exchange({ ':method': 'POST', ':path': '/echo' }, body)));
const well = answers.filter(([status, body], n) => status === 200 && body.equals(bodies[n])).length;
console.log(session.alpnProtocol, well);
session.close();
