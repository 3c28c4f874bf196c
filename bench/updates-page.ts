// How long a page of the log of changes keeps the event loop busy: read and checked, then applied to a large cache with many
// lookups in flight. Of each stretch between two pauses the shortest of many rounds counts, as other work on the machine
// makes it longer, and of a page its longest stretch.
import { readPage } from '../agent/backend/updates-page.ts';
import { type Clock, systemClock } from '../agent/decision/clock.ts';
import { LookupSubject } from '../agent/decision/lookup-subject.ts';
import { AppliedUpdates } from '../agent/updates/applied-updates.ts';
import { systemMoment } from '../agent/updates/freshness.ts';
import { formatAddress } from '../contract/address.ts';
import type { Entry } from '../contract/check.ts';
import { type Change, MAX_CHANGES } from '../contract/updates.ts';
import { MAX_PAGE_BYTES } from '../updates/page.ts';
import { composeEngine, fillCache } from './engine.ts';
import { addressOf } from './notify-pool.ts';

export interface PageRun {
  readonly kind: string;
  readonly changes: number;
  readonly kilobytes: number;
  /** The longest stretch of milliseconds. */
  readonly readMs: number;
  readonly applyMs: number;
  /** All stretches together. */
  readonly wholeMs: number;
}

const ROUNDS = 25;
const CACHED = 500_000;
/** As many as the default of `backend.maxConcurrent` lets be in flight. */
const IN_FLIGHT = 3_200;
const LIST = 'manual';
const NO_MIRROR = { apply: async () => {}, isAt: () => false };

const KINDS: Readonly<Record<string, (number: number) => Change>> = {
  addresses: (n) =>
    deny(`ip:${formatAddress(addressOf(n, 'mixed'))}`, { reason: 'abuse of the login form', status: 403 }),
  'networks /24': (n) => deny(`ip:10.${n >> 8}.${n & 255}.0/24`),
  'networks /64': (n) => deny(`ip:2001:db8:0:${n.toString(16)}::/64`),
  wildcards: (n) => deny(`host:*.h${n}.example`),
  'long paths': (n) => deny(`path:/${'a/'.repeat(400)}${n}`, { reason: 'x'.repeat(200) }),
};

/** Measures pages of each kind that are as long as they can be. */
export async function measurePages(): Promise<PageRun[]> {
  const { cache, loader } = composeEngine({
    clock: systemClock,
    backend: { check: () => new Promise<never>(() => {}) },
    ...{ allowTtlSeconds: 3600, denyTtlSeconds: 3600, maxCallsPerSecond: 1_000_000 },
  });
  fillCache(cache, CACHED, 'mixed', 3600);
  for (let n = 0; n < IN_FLIGHT; n++) loader.load(LookupSubject.parse(`ip:198.18.${n >> 8}.${n & 255}`), () => {});
  const target = { cache, loader };
  const runs: PageRun[] = [];
  for (const [kind, change] of Object.entries(KINDS)) {
    const { text, count } = pageOf(change);
    const reading = new Stretches();
    const applying = new Stretches();
    for (let round = 0; round < ROUNDS; round++) {
      const { changes } = await reading.measure((clock) =>
        readPage(text, [LIST], () => new Promise((resolve) => void clock.after(0, resolve))),
      );
      await applying.measure((clock) =>
        new AppliedUpdates(() => target, NO_MIRROR, clock, systemMoment).apply({
          kind: 'page',
          isStart: false,
          changes,
        }),
      );
    }
    const kilobytes = Math.round(text.length / 1024);
    const [readMs, applyMs] = [Math.max(...reading.shortest), Math.max(...applying.shortest)];
    const wholeMs = [...reading.shortest, ...applying.shortest].reduce((sum, ms) => sum + ms, 0);
    runs.push({ kind, changes: count, kilobytes, readMs, applyMs, wholeMs });
  }
  return runs;
}

/** The stretches of work between the pauses of a clock. */
class Stretches {
  /** In milliseconds, by their place in the work. */
  readonly shortest: number[] = [];

  async measure<Result>(work: (clock: Clock) => Promise<Result>): Promise<Result> {
    let place = 0;
    let sinceMs = performance.now();
    const end = () => {
      const tookMs = performance.now() - sinceMs;
      this.shortest[place] = Math.min(tookMs, this.shortest[place] ?? tookMs);
      place++;
    };
    const result = await work({
      ...systemClock,
      after(delayMs, task) {
        end();
        return systemClock.after(delayMs, () => {
          sinceMs = performance.now();
          task();
        });
      },
    });
    end();
    return result;
  }
}

function pageOf(change: (number: number) => Change) {
  const changes: Change[] = [];
  for (let bytes = 0; changes.length < MAX_CHANGES; changes.push(change(changes.length))) {
    bytes += JSON.stringify(change(changes.length)).length + 1;
    if (bytes > MAX_PAGE_BYTES) break;
  }
  const text = JSON.stringify({ cursor: 'a.1.b', changes, provenAgeMs: 5, now: 1, more: false, waitMs: 1000 });
  return { text, count: changes.length };
}

function deny(subject: string, more: Partial<Entry> = {}): Change {
  return { key: { subject, list: LIST }, entry: { subject, list: LIST, action: 'deny', ...more } };
}
