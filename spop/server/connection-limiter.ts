import type { Connection } from '../connection.ts';
import { SpopError, SpopStatus } from '../errors.ts';
import type { Clock } from '../transport.ts';

/** Limits for all connections of a process: docs/decisions/0021-connections.md. */
export interface ConnectionLimits {
  readonly connections: number;
  /** Bytes of partial frames and of ACKs that HAProxy has not read. */
  readonly heldBytes: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = { connections: 4096, heldBytes: 32 * 1024 * 1024 };

/** How long a frame may be partial, or an ACK unread: as long as HELLO may take. */
export const STUCK_LIMIT_MS = 5_000;
/** HAProxy closes idle connections after 120 s (up to 3.0) or 180 s (from 3.1), as generated. */
export const IDLE_LIMIT_MS = 240_000;
/** How often the time limits are checked. */
const SWEEP_MS = 1_000;
/** Connections are closed down to this share of the limit, so that the search for them is rare: it takes a millisecond. */
const SHED_TO = 0.75;
/** Connections that never sent a NOTIFY may take a quarter of all places from the others. */
const SILENT_SHARE = 4;

export interface TrackedConnection {
  readonly connection: Connection;
  /** Bytes of a partial frame and of unread ACKs. */
  readonly heldBytes: number;
  /** Since when there are such bytes; undefined without any. */
  readonly stuckSinceMs: number | undefined;
  /** Closes the socket at once. */
  destroy(): void;
}

export type ExceededLimit = 'connections' | 'memory';

/** Keeps all connections of a process within their limits, so that HAProxy always gets one. */
export class ConnectionLimiter {
  readonly #clock: Clock;
  readonly #evicted: (exceeded: ExceededLimit) => void;
  readonly #limits: ConnectionLimits;
  /** Connections that never sent a NOTIFY, the oldest first. */
  readonly #silent = new Set<TrackedConnection>();
  readonly #active = new Set<TrackedConnection>();
  #heldBytes = 0;
  #cancelSweep: (() => void) | undefined;

  /** Calls `evicted` for each connection that is closed in favour of others. */
  constructor(clock: Clock, evicted: (exceeded: ExceededLimit) => void, limits = CONNECTION_LIMITS) {
    this.#clock = clock;
    this.#evicted = evicted;
    this.#limits = limits;
  }

  get size(): number {
    return this.#silent.size + this.#active.size;
  }

  /** The bytes that all connections hold, as reported by `grew`. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Adds a connection; closes another one if the limit is reached. */
  add(tracked: TrackedConnection): void {
    const evicted = this.size >= this.#limits.connections ? this.#evictionCandidate() : undefined;
    if (evicted !== undefined) this.#evict(evicted, 'connections');
    this.#silent.add(tracked);
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => this.#sweep());
  }

  /** The connection has sent its first NOTIFY: hardly any client but HAProxy does. */
  notified(tracked: TrackedConnection): void {
    if (this.#silent.delete(tracked)) this.#active.add(tracked);
  }

  /** A connection holds this many bytes more, or fewer. Above the limit, those that are stuck longest are closed. */
  grew(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes <= this.#limits.heldBytes) return;
    this.#recount();
    if (this.#heldBytes <= this.#limits.heldBytes) return;
    for (const stuck of this.#longestStuckFirst()) {
      if (this.#heldBytes <= this.#limits.heldBytes * SHED_TO) return;
      this.#heldBytes -= stuck.heldBytes;
      this.#evict(stuck, 'memory');
    }
  }

  remove(tracked: TrackedConnection): void {
    this.#silent.delete(tracked);
    this.#active.delete(tracked);
    if (this.size > 0) return;
    this.#heldBytes = 0;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #evict(tracked: TrackedConnection, exceeded: ExceededLimit): void {
    this.remove(tracked);
    tracked.connection.abandon();
    tracked.destroy();
    this.#evicted(exceeded);
  }

  /** The oldest silent connection if there are many; else the one idle longest, if possible one without pending frames. */
  #evictionCandidate(): TrackedConnection | undefined {
    const [oldest] = this.#silent;
    if (this.#silent.size * SILENT_SHARE > this.#limits.connections) return oldest;
    let found: TrackedConnection | undefined;
    for (const tracked of this.#active) if (found === undefined || isBetterCandidate(tracked, found)) found = tracked;
    return found;
  }

  #longestStuckFirst(): TrackedConnection[] {
    const since = ({ stuckSinceMs = Number.POSITIVE_INFINITY }: TrackedConnection) => stuckSinceMs;
    return this.#all()
      .filter(({ stuckSinceMs }) => stuckSinceMs !== undefined)
      .sort((one, other) => since(one) - since(other));
  }

  /** Bytes that were read in the meantime, or of closed connections, are not reported. */
  #recount(): void {
    this.#heldBytes = this.#all().reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const { connection, stuckSinceMs = nowMs } of this.#all()) {
      if (nowMs - stuckSinceMs >= STUCK_LIMIT_MS) connection.fail(stuckError());
      else if (nowMs - connection.activity.lastReceivedAtMs >= IDLE_LIMIT_MS) connection.drain();
    }
    this.#recount();
    this.#cancelSweep = this.size > 0 ? this.#clock.after(SWEEP_MS, () => this.#sweep()) : undefined;
  }

  #all(): TrackedConnection[] {
    return [...this.#silent, ...this.#active];
  }
}

function isBetterCandidate({ connection: one }: TrackedConnection, { connection: other }: TrackedConnection): boolean {
  return one.hasPending === other.hasPending
    ? one.activity.lastReceivedAtMs < other.activity.lastReceivedAtMs
    : other.hasPending;
}

function stuckError(): SpopError {
  return new SpopError(SpopStatus.timeout, `a partial frame or unread ACKs for ${STUCK_LIMIT_MS} ms`);
}
