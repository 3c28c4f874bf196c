// The agent with its cache filled with the addresses of the pool, so that a run measures only cached decisions:
// `node bench/agent.ts PORT|unix:PATH ADDRESSES FAMILY`. Other addresses are answered as not listed. With 0 addresses
// nothing is cached: each decision calls a backend that answers at once.

import { systemClock } from '../agent/decision/clock.ts';
import type { Backend } from '../agent/decision/loader.ts';
import { MessageHandler } from '../agent/server/message-handler.ts';
import { connectionEvents } from '../agent/server/server-log.ts';
import { ProcessMetrics } from '../agent/state/process-metrics.ts';
import { ConnectionLimiter } from '../spop/server/connection-limiter.ts';
import { Listener } from '../spop/server/listener.ts';
import { composeEngine, fillCache } from './engine.ts';
import type { PoolOptions } from './notify-pool.ts';

const [target = '9000', addresses = '200000', family = 'ipv4'] = process.argv.slice(2);
const DAY_SECONDS = 86_400;
const clock = systemClock;
const ttlSeconds = addresses === '0' ? 0 : DAY_SECONDS;

const backend: Backend = {
  check: async (subjects) => ({ lookups: subjects.map(() => ({ entry: null })), ttlSeconds: DAY_SECONDS }),
};
const { cache, engine } = composeEngine({
  clock,
  backend,
  allowTtlSeconds: ttlSeconds,
  denyTtlSeconds: ttlSeconds,
  maxCallsPerSecond: 100_000,
});
fillCache(cache, Number(addresses), family as PoolOptions['family'], DAY_SECONDS);
const rules = [
  { name: 'check-request', policy: { default: 'open' }, kinds: ['ip'], target: { scope: 'txn', vars: new Map() } },
] as const;
const handler = new MessageHandler(rules, engine, { unknownMessage: complain, internalError: complain });
const listener = new Listener(
  target.startsWith('unix:')
    ? { type: 'unix', path: target.slice(5) }
    : { type: 'tcp', host: '127.0.0.1', port: Number(target) },
  { current: handler },
  clock,
  connectionEvents({ info: complain, warn: complain, error: complain }, clock, new ProcessMetrics(), () => 40),
  new ConnectionLimiter(clock, complain),
);
globalThis.gc?.(); // without the garbage of filling the cache
await listener.open();
console.log('listening');
process.on('SIGTERM', () => process.exit(0));

function complain(...what: unknown[]): void {
  console.error(...what);
}
