import { decodeText } from './cursor.ts';
import { invalidFrame, SpopError, SpopStatus } from './errors.ts';
import type { Frame } from './frame.ts';
import { type ReceivedData, readData } from './typed-data.ts';

/** The KV list of a HELLO or DISCONNECT. A repeated key keeps its last value; unknown keys are the caller's to ignore. */
export function readKeyValues(frame: Frame): Map<string, ReceivedData> {
  const cursor = frame.payload();
  const values = new Map<string, ReceivedData>();
  while (cursor.at < cursor.end) values.set(cursor.text(), readData(cursor));
  return values;
}

/** HELLO and DISCONNECT are about the connection: whole, and with both ids 0 (SPOE.txt 3.2.4 to 3.2.9). */
export function expectConnectionFrame(frame: Frame): void {
  if (!frame.isFinal)
    throw new SpopError(SpopStatus.fragmentationUnsupported, 'a HELLO or DISCONNECT cannot be fragmented');
  const { streamId, frameId } = frame.ids();
  if (streamId !== 0n || frameId !== 0n)
    throw invalidFrame(`HELLO or DISCONNECT with stream-id ${streamId} and frame-id ${frameId}`);
}

/** The text of a string value, undefined for a missing one; any other type is an invalid frame. */
export function optionalText(values: Map<string, ReceivedData>, key: string): string | undefined {
  const data = values.get(key);
  if (data === undefined) return undefined;
  if (data.type !== 'string') throw invalidFrame(`${key} is of type ${data.type}, not string`);
  return decodeText(data.value);
}

/** Comma-separated words, blanks around them allowed. */
export function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

export function isInteger(data: ReceivedData): data is Extract<ReceivedData, { value: bigint }> {
  return data.type === 'int32' || data.type === 'uint32' || data.type === 'int64' || data.type === 'uint64';
}
