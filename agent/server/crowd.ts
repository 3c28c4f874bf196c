import { SpopError, SpopStatus } from '../../spop/errors.ts';
import type { Clock } from '../decision/clock.ts';
import type { Connection } from './connection.ts';

/** What the connections of one process may take together: docs/decisions/0021-connections.md. */
export interface CrowdLimits {
  readonly connections: number;
  /** Of frames that are not whole yet, and of answers that are not read. */
  readonly heldBytes: number;
}

export const CROWD_LIMITS: CrowdLimits = { connections: 4096, heldBytes: 32 * 1024 * 1024 };

/** How long a frame may take to become whole, and answers to be read: what HELLO may take, too. */
export const PATIENCE_MS = 5_000;
/** HAProxy ends what is idle after 120 s (up to 3.0) or 180 s (from 3.1), as the wiring has it. */
export const IDLE_LIMIT_MS = 240_000;
/** Time limits are looked at so often: they are kept to a second. */
const SWEEP_MS = 1_000;
/** Down to this share of the limit, so that the search for what waits longest is rare: it takes a millisecond. */
const SHED_TO = 0.75;
/** Of all places, those that have not asked anything yet may take a quarter from the others. */
const NEWCOMERS_SHARE = 4;

/** A connection as the crowd knows it. */
export interface Member {
  readonly connection: Connection;
  /** Bytes that wait for more, or to be read. */
  readonly heldBytes: number;
  /** Since when any of them wait; undefined where none do. */
  readonly stuckSinceMs: number | undefined;
  /** Drops the socket at once. */
  destroy(): void;
}

/** Which limit of all was reached. */
export type Shortage = 'connections' | 'memory';

/** All connections of this process: nobody takes so much that HAProxy gets nothing. */
export class Crowd {
  readonly #clock: Clock;
  readonly #madeWay: (shortage: Shortage) => void;
  readonly #limits: CrowdLimits;
  /** In the order in which they came. */
  readonly #newcomers = new Set<Member>();
  readonly #askers = new Set<Member>();
  #heldBytes = 0;
  #cancelSweep: (() => void) | undefined;

  /** `madeWay` is told of each connection that had to end for others. */
  constructor(clock: Clock, madeWay: (shortage: Shortage) => void, limits = CROWD_LIMITS) {
    this.#clock = clock;
    this.#madeWay = madeWay;
    this.#limits = limits;
  }

  get size(): number {
    return this.#newcomers.size + this.#askers.size;
  }

  /** What is held by all, as it was told. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes in a new connection; where all places are taken, another one makes way. */
  add(member: Member): void {
    const leaving = this.size >= this.#limits.connections ? this.#leastMissed() : undefined;
    if (leaving !== undefined) this.#drop(leaving, 'connections');
    this.#newcomers.add(member);
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => this.#sweep());
  }

  /** This one has asked something: few but HAProxy do. */
  asked(member: Member): void {
    if (this.#newcomers.delete(member)) this.#askers.add(member);
  }

  /** So many bytes more are held, or less. What waits longest goes where it is too much. */
  grew(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes <= this.#limits.heldBytes) return;
    this.#recount();
    if (this.#heldBytes <= this.#limits.heldBytes) return;
    for (const stuck of this.#longestStuckFirst()) {
      if (this.#heldBytes <= this.#limits.heldBytes * SHED_TO) return;
      this.#heldBytes -= stuck.heldBytes;
      this.#drop(stuck, 'memory');
    }
  }

  remove(member: Member): void {
    this.#newcomers.delete(member);
    this.#askers.delete(member);
    if (this.size > 0) return;
    this.#heldBytes = 0;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #drop(member: Member, shortage: Shortage): void {
    this.remove(member);
    member.connection.abandon();
    member.destroy();
    this.#madeWay(shortage);
  }

  /** The first of a flood that never asks; without one, of those for whom nothing is looked up, the one idle longest. */
  #leastMissed(): Member | undefined {
    const [newcomer] = this.#newcomers;
    if (this.#newcomers.size * NEWCOMERS_SHARE > this.#limits.connections) return newcomer;
    let found: Member | undefined;
    for (const member of this.#askers) if (found === undefined || isLessMissed(member, found)) found = member;
    return found;
  }

  #longestStuckFirst(): Member[] {
    const since = ({ stuckSinceMs = Number.POSITIVE_INFINITY }: Member) => stuckSinceMs;
    return this.#all()
      .filter(({ stuckSinceMs }) => stuckSinceMs !== undefined)
      .sort((one, other) => since(one) - since(other));
  }

  /** What was read meanwhile, or is gone, has not been told. */
  #recount(): void {
    this.#heldBytes = this.#all().reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const { connection, stuckSinceMs = nowMs } of this.#all()) {
      if (nowMs - stuckSinceMs >= PATIENCE_MS) connection.fail(tooLong());
      else if (nowMs - connection.activity.heardAtMs >= IDLE_LIMIT_MS) connection.drain();
    }
    this.#recount();
    this.#cancelSweep = this.size > 0 ? this.#clock.after(SWEEP_MS, () => this.#sweep()) : undefined;
  }

  #all(): Member[] {
    return [...this.#newcomers, ...this.#askers];
  }
}

function isLessMissed({ connection: one }: Member, { connection: other }: Member): boolean {
  return one.isWorking === other.isWorking ? one.activity.heardAtMs < other.activity.heardAtMs : other.isWorking;
}

function tooLong(): SpopError {
  return new SpopError(SpopStatus.timeout, `bytes that wait for more, or to be read, for ${PATIENCE_MS} ms`);
}
