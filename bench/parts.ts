// Measures single parts of the agent without a socket: nanoseconds, the median of the rounds.

import { Address } from '../agent/decision/address.ts';
import { systemClock } from '../agent/decision/clock.ts';
import type { Engine } from '../agent/decision/engine.ts';
import { MessageHandler } from '../agent/server/message-handler.ts';
import { connectionEvents } from '../agent/server/server-log.ts';
import { ProcessMetrics } from '../agent/state/process-metrics.ts';
import { encodeAck, encodeActions } from '../spop/ack.ts';
import { Connection } from '../spop/connection.ts';
import { NO_IDS } from '../spop/frame.ts';
import { FrameReader } from '../spop/frame-reader.ts';
import { decodeNotify, NotifyReader } from '../spop/notify.ts';
import type { NotifyHandler } from '../spop/notify-handler.ts';
import { composeEngine, fillCache } from './engine.ts';
import { haproxyHello } from './haproxy-hello.ts';
import { addressOf, createPool } from './notify-pool.ts';

const ADDRESSES = 200_000;
const FRAMES_A_CHUNK = 20;
const ROUNDS = 60;
const WARM_ROUNDS = 20;
const DAY_SECONDS = 86_400;

const pool = createPool({ addresses: ADDRESSES, family: 'ipv4', zipf: 0, seed: 1 });
const chunks = Array.from({ length: pool.size / FRAMES_A_CHUNK }, (_, index) =>
  pool.bytes.subarray(pool.starts[index * FRAMES_A_CHUNK], pool.starts[(index + 1) * FRAMES_A_CHUNK]),
);

/** Nanoseconds by part. */
export function measureParts(): Record<string, number> {
  return {
    'cut a frame out of a chunk': perFrame(() => {}),
    'walk a NOTIFY of five arguments': perFrame(walking()),
    'decode it into objects': perFrame((frame) => void decodeNotify(frame)),
    'encode an ACK of four variables': perCall(() => void encodeAck(NO_IDS, ACTIONS)),
    'encode its actions anew': perCall(() => void encodeActions(LISTED)),
    'decide about a cached address': perCall(deciding()),
    'frame in to ACK out, the long way': perChunk(connection(false)),
    'frame in to ACK out, the hot path': perChunk(connection(true)),
  };
}

const LISTED = [
  ['action', 'deny'],
  ['source', 'cache'],
  ['reason', 'bench'],
  ['list', 'manual'],
].map(
  ([name = '', value = '']) => ({ type: 'set-var', scope: 'txn', name, value: { type: 'string', value } }) as const,
);
const ACTIONS = encodeActions(LISTED);

function walking(): (frame: Parameters<NotifyReader['open']>[0]) => void {
  const reader = new NotifyReader();
  return (frame) => {
    reader.open(frame);
    while (reader.nextMessage()) while (reader.nextArgument());
  };
}

function engine(): Engine {
  const { cache, engine } = composeEngine({
    clock: systemClock,
    backend: { check: () => Promise.reject(new Error('everything is cached')) },
    allowTtlSeconds: DAY_SECONDS,
    denyTtlSeconds: DAY_SECONDS,
    maxCallsPerSecond: 1,
  });
  fillCache(cache, ADDRESSES, 'ipv4', DAY_SECONDS);
  return engine;
}

function deciding(): () => void {
  const asked = engine();
  const address = new Address();
  const question = {
    policy: { default: 'open' },
    address,
    texts: [],
    addressAt: 0,
    oddAt: -1,
    problem: undefined,
  } as const;
  let rank = 0;
  return () => {
    rank = (rank + 7919) % ADDRESSES;
    address.readBytes(addressOf(rank, 'ipv4'), 0, 4);
    asked.decide(question, 1000);
  };
}

function connection(isHot: boolean): (chunk: Uint8Array) => void {
  const rules = [
    { name: 'check-request', policy: { default: 'open' }, kinds: ['ip'], target: { scope: 'txn', vars: new Map() } },
  ] as const;
  const handler = new MessageHandler(rules, engine(), { unknownMessage: fail, internalError: fail });
  const current: NotifyHandler = isHot
    ? handler
    : {
        answer: (...asked) => handler.answer(...asked),
        overload: (...asked) => handler.overload(...asked),
      };
  const transport = { write: () => true, end: fail };
  const made = new Connection(
    transport,
    { current },
    systemClock,
    connectionEvents({ info: fail, warn: fail, error: fail }, systemClock, new ProcessMetrics(), () => 40),
  );
  made.receive(haproxyHello());
  return (chunk) => made.receive(chunk);
}

function perFrame(work: (frame: Parameters<NotifyReader['open']>[0]) => void): number {
  const reader = new FrameReader(16_384);
  return perChunk((chunk) => {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) work(frame);
  });
}

/** Data from a socket is in one buffer, and in the CPU cache. */
function perChunk(work: (chunk: Uint8Array) => void): number {
  const shared = Buffer.allocUnsafeSlow(64 * 1024);
  return median(() => {
    for (const chunk of chunks) {
      shared.set(chunk);
      work(shared.subarray(0, chunk.length));
    }
  });
}

function perCall(work: () => void): number {
  return median(() => {
    for (let count = 0; count < pool.size; count++) work();
  });
}

function median(round: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.hrtime.bigint();
    round();
    return Number(process.hrtime.bigint() - startedAt) / pool.size;
  }).slice(WARM_ROUNDS);
  return Math.round(times.toSorted((a, b) => a - b)[times.length >> 1] as number); // not empty
}

function fail(...what: unknown[]): never {
  throw new Error(what.join(' '));
}
