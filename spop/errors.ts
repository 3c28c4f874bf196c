/**
 * The status codes of a DISCONNECT frame (SPOE.txt 3.2.9, 3.3.1).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { SpopStatus } from 'haverdict-spop';
 *
 * const status: SpopStatus = SpopStatus.invalidFrame;
 * assert.equal(status, 4);
 * ```
 */
export const SpopStatus = {
  normal: 0,
  ioError: 1,
  timeout: 2,
  frameTooBig: 3,
  invalidFrame: 4,
  noVersion: 5,
  noMaxFrameSize: 6,
  noCapabilities: 7,
  unsupportedVersion: 8,
  badMaxFrameSize: 9,
  fragmentationUnsupported: 10,
  interlacedFrames: 11,
  frameIdNotFound: 12,
  resourceAllocation: 13,
  unknown: 99,
} as const;

/** One of the status codes that SPOP 2.0 assigns. */
export type SpopStatus = (typeof SpopStatus)[keyof typeof SpopStatus];

/**
 * A protocol violation by the peer, with the status for the DISCONNECT.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { SpopError, SpopStatus } from 'haverdict-spop';
 *
 * const error = new SpopError(SpopStatus.noVersion, 'supported-versions is missing');
 * assert.equal(error.status, 5);
 * ```
 */
export class SpopError extends Error {
  override readonly name = 'SpopError';
  readonly status: SpopStatus;

  constructor(status: SpopStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/** A malformed frame: status 4. */
export function invalidFrame(message: string): SpopError {
  return new SpopError(SpopStatus.invalidFrame, message);
}
