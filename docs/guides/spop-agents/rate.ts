// Limits how many requests an address may make in a second.
//   node rate.ts          listens
//   node rate.ts FOLDER   writes HAProxy's configuration for it
import { writeFileSync } from 'node:fs';
import { createAgent, haproxyFiles, message } from 'haverdict-spop';

const name = 'rate';
const listen = { path: process.env.AGENT_SOCKET ?? `/run/${name}/agent.sock` };
const MOST_A_SECOND = 20;
/** Bounds the memory: the address that asked longest ago is forgotten first. */
const MOST_ADDRESSES = 100_000;

interface Window {
  readonly beganMs: number;
  readonly requests: number;
}

const windows = new Map<string, Window>();

function count(address: string): Window {
  const nowMs = performance.now();
  const before = windows.get(address);
  const isOver = before === undefined || nowMs - before.beganMs >= 1000;
  const window = isOver ? { beganMs: nowMs, requests: 1 } : { ...before, requests: before.requests + 1 };
  windows.delete(address); // so that it is the last again
  windows.set(address, window);
  for (const oldest of windows.keys()) {
    if (windows.size <= MOST_ADDRESSES) break;
    windows.delete(oldest);
  }
  return window;
}

const agent = createAgent({
  'check-rate': message({ args: { ip: 'address' }, vars: { limited: 'boolean' } }, ({ args, set }) => {
    if (args.ip !== null) set('limited', count(args.ip).requests > MOST_A_SECOND);
  }),
});

const [, , folder] = process.argv;
if (folder === undefined) {
  await agent.listen(listen);
  process.once('SIGTERM', () => void agent.close());
} else {
  const files = haproxyFiles({ name, listen, messages: { 'check-rate': { args: { ip: 'src' } } } });
  for (const [part, text] of Object.entries(files)) writeFileSync(`${folder}/${name}.${part}.cfg`, text);
}
