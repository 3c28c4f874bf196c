import { invalidFrame, SpopStatus } from './errors.ts';
import { encodeFrame, type Frame, FrameType, NO_IDS } from './frame.ts';
import { expectConnectionFrame, isInteger, optionalText, readKeyValues } from './key-values.ts';
import { PayloadWriter } from './payload-writer.ts';
import { writeData } from './typed-data.ts';

/** HAProxy up to 3.0 rejects a longer message. */
const MAX_MESSAGE_BYTES = 255;

/**
 * Why one side closes. Codes that SPOP does not assign are allowed; HAProxy reports code N as 256 + N.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type Disconnect, SpopStatus } from 'haverdict-spop';
 *
 * const idle: Disconnect = { status: SpopStatus.timeout, message: 'a timeout occurred' };
 * assert.equal(idle.status, 2);
 * ```
 */
export interface Disconnect {
  readonly status: number;
  readonly message: string;
}

/**
 * Decodes a DISCONNECT of either side.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeDisconnect, encodeAgentDisconnect, FrameReader, SpopStatus } from 'haverdict-spop';
 *
 * const reader = new FrameReader(16_380);
 * reader.push(encodeAgentDisconnect(SpopStatus.normal, 'normal'));
 * const frame = reader.next();
 * assert.deepEqual(frame && decodeDisconnect(frame), { status: 0, message: 'normal' });
 * ```
 */
export function decodeDisconnect(frame: Frame): Disconnect {
  expectConnectionFrame(frame);
  const values = readKeyValues(frame);
  const status = values.get('status-code');
  if (status !== undefined && !isInteger(status))
    throw invalidFrame(`status-code is of type ${status.type}, not an integer`);
  return { status: Number(status?.value ?? SpopStatus.unknown), message: optionalText(values, 'message') ?? '' };
}

/**
 * The whole AGENT-DISCONNECT frame; a message above 255 bytes is cut.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { encodeAgentDisconnect, FrameType, SpopStatus } from 'haverdict-spop';
 *
 * const frame = encodeAgentDisconnect(SpopStatus.frameTooBig, 'frame of 70000 bytes is above 16380');
 * assert.equal(frame[4], FrameType.agentDisconnect);
 * ```
 */
export function encodeAgentDisconnect(status: SpopStatus, message: string): Uint8Array {
  const out = new PayloadWriter();
  writeData(out.text('status-code'), { type: 'uint32', value: BigInt(status) });
  const text = new TextEncoder().encode(message).subarray(0, MAX_MESSAGE_BYTES);
  writeData(out.text('message'), { type: 'string', value: text });
  return encodeFrame(FrameType.agentDisconnect, NO_IDS, out.finish());
}
