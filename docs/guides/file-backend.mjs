// A backend for haverdict that reads its blocklist from a file: node file-backend.mjs blocklist.txt [PORT]
// One entry a line, `ip:203.0.113.0/24 abuse` or `host:evil.example`. The list is called "manual".
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { BlockList, isIP } from 'node:net';

const [file, port = 8787] = process.argv.slice(2);
process.once('uncaughtException', ({ message }) => {
  console.error(`file-backend: ${message}`); // no such file, a wrong network, a used port
  process.exit(1);
});
if (file === undefined) throw new Error('name the blocklist: node file-backend.mjs blocklist.txt [PORT]');
const family = (address) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

const entries = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => {
    const [subject, ...reason] = line.trim().split(/\s+/);
    const [address, length] = subject.startsWith('ip:') ? subject.slice(3).split('/') : [];
    const network = new BlockList();
    if (length) network.addSubnet(address, Number(length), family(address));
    return {
      length: Number(length ?? 128),
      network,
      answer: { subject, list: 'manual', action: 'deny', reason: reason.join(' ') },
    };
  })
  .sort((a, b) => b.length - a.length); // the longest network first

function entryFor(subject) {
  const address = subject.startsWith('ip:') ? subject.slice(3) : '';
  const covers = ({ network, answer }) =>
    answer.subject === subject || (isIP(address) !== 0 && network.check(address, family(address)));
  return entries.find(covers)?.answer ?? null;
}

function check({ lists, subjects }) {
  const isText = (one) => typeof one === 'string' && one !== '';
  if (!Array.isArray(lists) || lists.length === 0 || !lists.every(isText)) return [400, { error: 'lists is wrong' }];
  if (!Array.isArray(subjects) || !subjects.every(isText)) return [400, { error: 'subjects is wrong' }];
  if (subjects.length === 0 || subjects.length > 100) return [400, { error: 'subjects must have 1 to 100 of them' }];
  const asked = lists.includes('manual');
  return [
    200,
    { verdicts: subjects.map((subject) => ({ subject, entry: asked ? entryFor(subject) : null })), ttl: 60 },
  ];
}

async function answerTo(request) {
  if (request.url === '/v1/health') return [200, { status: 'ok' }];
  if (request.url !== '/v1/check') return [404, { error: 'there is nothing here' }];
  if (request.method !== 'POST') return [405, { error: '/v1/check takes POST' }];
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > 262_144) return [413, { error: 'the body is too large' }];
  }
  try {
    return check(JSON.parse(body));
  } catch {
    return [400, { error: 'the body is not JSON' }];
  }
}

const server = createServer(async (request, response) => {
  const [status, answer] = await answerTo(request);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
