/** One moment by two clocks: that of the boot does not count a suspend, and that of the wall can be set. */
export interface Moment {
  readonly bootMs: number;
  readonly epochMs: number;
}

/** Now, for all processes of this host. */
export function systemMoment(): Moment {
  return { bootMs: Number(process.hrtime.bigint() / 1000n) / 1000, epochMs: Date.now() };
}

/** The time between two moments: the greater of what the clocks say, so that neither a suspend nor a clock set back hides it. */
export function elapsedMs(from: Moment, to: Moment): number {
  return Math.max(to.bootMs - from.bootMs, to.epochMs - from.epochMs, 0);
}

/** What proves that changes are applied: how old the proof was when the page with it was asked for. */
export interface Proof {
  readonly askedAt: Moment;
  readonly ageMs: number;
}

/** The age of the moment up to which every change is proven to be applied; infinite without a proof. */
export function provenAgeMs(proof: Proof | undefined, now: Moment): number {
  return proof === undefined ? Number.POSITIVE_INFINITY : proof.ageMs + elapsedMs(proof.askedAt, now);
}
