import type { Entry } from '../../contract/check.ts';
import type { Address } from './address.ts';
import type { Decision } from './decision.ts';
import type { Backend, Lookup } from './loader.ts';
import { LookupSubject } from './lookup-subject.ts';

/** What a mirror of the lists says. */
export interface MirrorAnswers {
  /** About an address, if the mirror is up to date. */
  liveAddress(address: Address, nowMs: number): Decision | undefined;
  /** The same about any other subject, in canonical text. */
  live(text: string, nowMs: number): Decision | undefined;
  /** About any subject as a stale answer, for when the backend cannot be asked. */
  stale(subject: LookupSubject): Decision | undefined;
  /** What the backend answered about a subject, with entries that only the mirror finds: those written in another spelling. */
  combined(subject: LookupSubject, answered: Entry | null): Entry | null;
}

export const NO_MIRROR: MirrorAnswers = {
  liveAddress: () => undefined,
  live: () => undefined,
  stale: () => undefined,
  combined: (_, answered) => answered,
};

/** The backend, with what only the mirror finds. */
export function withMirror(backend: Backend, mirror: MirrorAnswers): Backend {
  return {
    async check(subjects) {
      const { lookups, ttlSeconds } = await backend.check(subjects);
      const combined = (found: Lookup, index: number): Lookup =>
        'error' in found ? found : { entry: mirror.combined(LookupSubject.parse(subjects[index] ?? ''), found.entry) };
      return { lookups: lookups.map(combined), ttlSeconds };
    },
  };
}
