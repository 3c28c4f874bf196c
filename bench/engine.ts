import { VerdictCache } from '../agent/decision/cache.ts';
import type { Clock } from '../agent/decision/clock.ts';
import { Engine } from '../agent/decision/engine.ts';
import { type Backend, Loader } from '../agent/decision/loader.ts';
import { LookupSubject } from '../agent/decision/lookup-subject.ts';
import { type MirrorAnswers, NO_MIRROR } from '../agent/decision/mirror-answers.ts';
import { formatAddress } from '../contract/address.ts';
import { addressOf, isListed, type PoolOptions } from './notify-pool.ts';

const DEADLINE_MS = 40;

interface EngineOptions {
  readonly clock: Clock;
  readonly backend: Backend;
  readonly allowTtlSeconds: number;
  readonly denyTtlSeconds: number;
  readonly maxCallsPerSecond: number;
  readonly mirror?: MirrorAnswers;
}

/** Cache, loader and engine as the agent composes them, with default settings unless given. */
export function composeEngine({ clock, backend, maxCallsPerSecond, mirror = NO_MIRROR, ...ttl }: EngineOptions) {
  const cache = new VerdictCache(
    { maxEntries: 1_000_000, policyTtlSeconds: 1, ...ttl },
    { ifErrorSeconds: 600, revalidateSeconds: 5 },
    clock,
  );
  const batch = { windowMs: 1, maxSubjects: 100 };
  const loader = new Loader(backend, cache, clock, {
    maxConcurrent: 32,
    maxCallsPerSecond,
    deadlineMs: DEADLINE_MS,
    batch,
  });
  return { cache, loader, engine: new Engine({ cache, loader, clock, mirror }, DEADLINE_MS) };
}

/** Caches the verdict on each address of the pool. */
export function fillCache(
  cache: VerdictCache,
  addresses: number,
  family: PoolOptions['family'],
  ttlSeconds: number,
): void {
  for (let rank = 0; rank < addresses; rank++) {
    const subject = `ip:${formatAddress(addressOf(rank, family))}`;
    const entry = { subject, list: 'manual', action: 'deny', reason: 'bench' } as const;
    cache.keepVerdict(LookupSubject.parse(subject), isListed(rank) ? entry : null, ttlSeconds);
  }
}
