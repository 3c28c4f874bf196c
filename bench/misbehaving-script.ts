// Measures the latency of other messages while a script misbehaves: `node bench/misbehaving-script.ts [SECONDS] [RATE]`. A
// message without a function is sent RATE times a second on 32 connections, and one with a function 200 times a second.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatAddress } from '../contract/address.ts';
import type { CheckRequest } from '../contract/check.ts';
import { startAgentProcess } from '../dev/agent-process.ts';
import { Asking } from '../test/support/asking.ts';
import { str } from '../test/support/spop/naive-codec.ts';
import type { LoadResult } from './load.ts';
import { addressOf, isListed } from './notify-pool.ts';

const [seconds = '8', rate = '5000'] = process.argv.slice(2);
const ADDRESSES = 1_000;
const SCRIPTED_EVERY_MS = 5;

const SCRIPTS: Readonly<Record<string, string | undefined>> = {
  'no script': undefined,
  good: '',
  throws: `throw new Error('oops');`,
  'returns nonsense': 'return 42;',
  'never resolves': 'return new Promise(() => {});',
  loops: 'for (;;);',
  'loops for 20 ms': 'for (const end = performance.now() + 20; performance.now() < end; );',
  'fills the heap': 'for (const kept = []; ; ) kept.push(new Array(1000).fill(1.5));',
  'fills buffers': 'for (const kept = []; ; ) kept.push(Buffer.alloc(1e6, 1));',
  exits: 'process.exit(1);',
};

const listed = new Set<string>();
for (let rank = 0; rank < ADDRESSES; rank++)
  if (isListed(rank)) listed.add(`ip:${formatAddress(addressOf(rank, 'ipv4'))}`);
const backend = createServer(async (request, response) => {
  if (request.method === 'GET') return void response.end('{}'); // the health call at startup
  const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest;
  const entryOf = (subject: string) => (listed.has(subject) ? { subject, list: 'manual', action: 'deny' } : null);
  response.end(
    JSON.stringify({ verdicts: subjects.map((subject) => ({ subject, entry: entryOf(subject) })), ttl: 3600 }),
  );
}).listen(0, '127.0.0.1');
await once(backend, 'listening');

console.log('| Script | p50 | p99 | p99.9 | max | wrong | answers of the script | restarts |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const [name, code] of Object.entries(SCRIPTS)) console.log(await rowOf(name, code));
process.exit(0);

async function rowOf(name: string, code: string | undefined): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-bench-'));
  writeFileSync(join(folder, 'script.mjs'), `export default { scripted() { ${code}\n return { action: 'tag' }; } };`);
  const path = join(folder, 'agent.sock');
  const agent = await startAgentProcess(
    {
      listen: [{ unix: path }],
      backend: { url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` }, // it listens
      messages: {
        'check-request': { subjects: { ip: 'src' } },
        scripted: { event: 'on-backend-http-request', subjects: { path: 'path' }, arguments: { method: 'method' } },
      },
      ...(code === undefined ? {} : { script: './script.mjs' }),
    },
    folder,
  );
  await load(path, '1'); // fills the cache
  const haproxy = await Asking.at(path);
  await haproxy.ask('scripted', [['path', str('/')]]);
  const before = haproxy.told.length;
  const asking = setInterval(
    () =>
      haproxy.send('scripted', [
        ['path', str('/')],
        ['method', str('GET')],
      ]),
    SCRIPTED_EVERY_MS,
  );
  const { latencyUs, wrong } = await load(path, seconds);
  clearInterval(asking);
  const reasons = new Map<string, number>();
  for (const { source, reason } of haproxy.told.slice(before)) {
    const said = String(source === 'policy' ? reason : source);
    reasons.set(said, (reasons.get(said) ?? 0) + 1);
  }
  const restarts = agent.lines.filter((line) => line.includes('script process restarted')).length;
  haproxy.close();
  await agent.kill('SIGTERM');
  rmSync(folder, { recursive: true });
  const { p50, p99, p999, max } = latencyUs;
  const answers = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `| ${name} | ${[p50, p99, p999, max].map((us) => `${us} µs`).join(' | ')} | ${wrong} | ${answers} | ${restarts} |`;
}

async function load(path: string, forSeconds: string): Promise<LoadResult> {
  const options = { target: `unix:${path}`, connections: '32', inFlight: '1', rate, seconds: forSeconds };
  const args = Object.entries({ ...options, addresses: String(ADDRESSES) }).flatMap(([key, value]) => [
    `--${key}`,
    value,
  ]);
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'load.ts'), ...args]);
  return JSON.parse(stdout) as LoadResult;
}
