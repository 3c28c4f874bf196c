import type { SpopError } from './errors.ts';

/**
 * What happens on a connection, for who counts or logs it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ConnectionEvents } from 'haverdict-spop';
 *
 * let answered = 0;
 * const events: ConnectionEvents = {
 *   protocolError: ({ status, message }) => console.error(status, message),
 *   disconnectReceived: (status, message) => console.error(status, message),
 *   answered: (frames) => void (answered += frames),
 *   answeredLate: () => void answered++,
 *   healthChecked() {},
 * };
 * events.answered(20, 0.1);
 * assert.equal(answered, 20);
 * ```
 */
export interface ConnectionEvents {
  /** Protocol violation by HAProxy: the connection is being closed with this error's status. */
  protocolError(error: SpopError, peer?: string): void;
  /** HAProxy sent a DISCONNECT with a status other than 0 (normal) and 2 (idle timeout), which are routine. */
  disconnectReceived(status: number, message: string, peer?: string): void;
  /** This many frames were answered at once, the last of them after `tookMs`. */
  answered(frames: number, tookMs: number): void;
  /** A frame whose answer was a promise was answered. */
  answeredLate(tookMs: number): void;
  /** The connection is a health check of HAProxy. */
  healthChecked(): void;
}
