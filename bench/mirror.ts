// Measures the tables of a mirror of a million addresses in this process: by its CPU time, since other processes of the
// machine only make it wait.

import { systemClock } from '../agent/decision/clock.ts';
import { type MirrorAnswers, NO_MIRROR } from '../agent/decision/mirror-answers.ts';
import { Mirror } from '../agent/mirror/mirror.ts';
import { MessageHandler } from '../agent/server/message-handler.ts';
import { connectionEvents } from '../agent/server/server-log.ts';
import { ProcessMetrics } from '../agent/state/process-metrics.ts';
import { formatAddress, formatNetwork, masked } from '../contract/address.ts';
import { Connection } from '../spop/connection.ts';
import { composeEngine, fillCache } from './engine.ts';
import { haproxyHello } from './haproxy-hello.ts';
import { addressOf, createPool } from './notify-pool.ts';

const ENTRIES = 1_000_000;
const CLIENTS = 200_000;
const LIST = 'manual';
const LINES = 50_000;
/** Networks of each of these lengths. */
const NETWORKS = 3000;
const LENGTHS = { ipv4: [28, 24, 22, 20], ipv6: [64, 56, 48, 44] } as const;
const CLASS = '{"action":"deny","reason":"bench"}\n';
const FRAMES_A_CHUNK = 20;
const WARM_ROUNDS = 5;
const DAY_SECONDS = 86_400;

type Family = 'ipv4' | 'ipv6';

export interface MirrorRun {
  readonly family: Family;
  readonly entries: number;
  readonly loadMs: number;
  readonly longestSliceMs: number;
  readonly usedMb: number;
  readonly recomputeMs: number;
  /** A frame of the hot path: from the cache; from a mirror that lists half of the clients, and from one that lists none. */
  readonly cachedNs: number;
  readonly halfListedNs: number;
  readonly noneListedNs: number;
  /** Those of half listed and none listed with networks of four more lengths. */
  readonly halfBesideNetworksNs: number;
  readonly noneBesideNetworksNs: number;
}

export function measureMirror(family: Family, rounds: number): MirrorRun {
  const segments = [...segmentsFrom(1, family)];
  const mirror = new Mirror({ lists: [LIST] }, ENTRIES);
  let longestSliceMs = 0;
  const loadMs = cpuMs(() => {
    longestSliceMs = fill(mirror, segments);
  });
  const usedMb = mirror.bytes / 1e6;
  const recomputeMs = cpuMs(() => {
    for (const _ of mirror.recompute());
  });
  const strange = new Mirror({ lists: [LIST] }, ENTRIES);
  fill(strange, [...segmentsFrom(2 * ENTRIES, family)]);
  const mirrors = [
    NO_MIRROR,
    answers(mirror),
    answers(strange),
    ...[1, 2 * ENTRIES].map((rank) => answers(withNetworks(rank, family))),
  ];
  const [cachedNs = 0, halfListedNs = 0, noneListedNs = 0, halfBesideNetworksNs = 0, noneBesideNetworksNs = 0] =
    interleaved(family, mirrors, rounds);
  const figures = { loadMs, longestSliceMs, usedMb, recomputeMs, cachedNs, halfListedNs, noneListedNs };
  return { family, entries: ENTRIES, ...figures, halfBesideNetworksNs, noneBesideNetworksNs };
}

/** Addresses from this rank on, and networks: of IPv4 few clients are in one, of IPv6 all are in the same. */
function withNetworks(rank: number, family: Family): Mirror {
  const mirror = new Mirror({ lists: [LIST] }, 2 * ENTRIES);
  fill(mirror, [...segmentsFrom(rank, family)]);
  const lines = LENGTHS[family].flatMap((prefix, index) =>
    Array.from({ length: NETWORKS }, (_, at) => {
      const bytes = addressOf(5 * ENTRIES + at * LENGTHS[family].length + index, family);
      bytes.copyWithin(4, 12); // of IPv6 the networks of one provider
      return JSON.stringify(`ip:${formatNetwork(masked(bytes, prefix))}`);
    }),
  );
  fill(mirror, [Buffer.from(`${CLASS}${[...new Set(lines)].join('\n')}\n`)]);
  return mirror;
}

/** Segments of every second address from this rank on: those of odd ranks are listed in the pool. */
function* segmentsFrom(rank: number, family: Family): Generator<Buffer> {
  for (let from = 0; from < ENTRIES; from += LINES) {
    const lines = Array.from({ length: LINES }, (_, at) =>
      JSON.stringify(`ip:${formatAddress(addressOf(rank + 2 * (from + at), family))}`),
    );
    yield Buffer.from(`${CLASS}${lines.join('\n')}\n`);
  }
}

/** Returns the longest slice in milliseconds. */
function fill(mirror: Mirror, segments: readonly Buffer[]): number {
  let longest = 0;
  for (const segment of segments) {
    const slices = mirror.fill(LIST, segment);
    for (let isDone = false; !isDone; )
      longest = Math.max(
        longest,
        cpuMs(() => {
          isDone = slices.next().done === true;
        }),
      );
  }
  return longest;
}

function answers(mirror: Mirror): MirrorAnswers {
  return { ...NO_MIRROR, liveAddress: (address, nowMs) => mirror.lookupAddress(address, nowMs).live };
}

/** The median nanoseconds of a frame for each, measured in turn. */
function interleaved(family: Family, mirrors: readonly MirrorAnswers[], rounds: number): number[] {
  const pool = createPool({ addresses: CLIENTS, family, zipf: 0, seed: 1 });
  const chunks = Array.from({ length: pool.size / FRAMES_A_CHUNK }, (_, index) =>
    pool.bytes.subarray(pool.starts[index * FRAMES_A_CHUNK], pool.starts[(index + 1) * FRAMES_A_CHUNK]),
  );
  const shared = Buffer.allocUnsafeSlow(64 * 1024);
  const runs = mirrors.map((mirror) => ({ receive: receiving(mirror, family), times: [] as number[] }));
  for (let round = 0; round < WARM_ROUNDS + 10 * rounds; round++)
    for (const { receive, times } of runs) {
      const ms = cpuMs(() => {
        for (const chunk of chunks) {
          shared.set(chunk);
          receive(shared.subarray(0, chunk.length));
        }
      });
      if (round >= WARM_ROUNDS) times.push((ms * 1e6) / pool.size);
    }
  return runs.map(({ times }) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0);
}

function receiving(mirror: MirrorAnswers, family: Family): (chunk: Uint8Array) => void {
  const backend = { check: () => Promise.reject(new Error('everything is known')) };
  const ttl = { allowTtlSeconds: DAY_SECONDS, denyTtlSeconds: DAY_SECONDS };
  const { cache, engine } = composeEngine({ clock: systemClock, backend, ...ttl, maxCallsPerSecond: 1, mirror });
  if (mirror === NO_MIRROR) fillCache(cache, CLIENTS, family, DAY_SECONDS);
  const rules = [
    { name: 'check-request', policy: { default: 'open' }, kinds: ['ip'], target: { scope: 'txn', vars: new Map() } },
  ] as const;
  const current = new MessageHandler(rules, engine, { unknownMessage: fail, internalError: fail });
  const events = connectionEvents({ info: fail, warn: fail, error: fail }, systemClock, new ProcessMetrics(), () => 40);
  const connection = new Connection({ write: () => true, end: fail }, { current }, systemClock, events);
  connection.receive(haproxyHello());
  return (chunk) => connection.receive(chunk);
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function fail(...what: unknown[]): never {
  throw new Error(what.join(' '));
}
