import type { Address } from './address.ts';
import type { Decision } from './decision.ts';
import type { LookupSubject } from './lookup-subject.ts';

/** What a mirror of the lists says. */
export interface MirrorAnswers {
  /** About an address, if the mirror is up to date. */
  liveAddress(address: Address, nowMs: number): Decision | undefined;
  /** The same about any other subject, in canonical text. */
  live(text: string, nowMs: number): Decision | undefined;
  /** About any subject as a stale answer, for when the backend cannot be asked. */
  stale(subject: LookupSubject): Decision | undefined;
}

export const NO_MIRROR: MirrorAnswers = {
  liveAddress: () => undefined,
  live: () => undefined,
  stale: () => undefined,
};
