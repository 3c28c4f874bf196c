import { formatAddress } from '../../contract/address.ts';
import { decodeText } from '../../spop/cursor.ts';
import type { NotifyReader } from '../../spop/notify.ts';
import type { ReceivedData } from '../../spop/typed-data.ts';

/** The arguments of a message, by name. */
export type MessageArguments = Readonly<Record<string, string | number | boolean | null>>;

/** All named arguments of the message at the reader, also those that were read before. */
export function readArguments(reader: NotifyReader): MessageArguments {
  const all: Record<string, string | number | boolean | null> = Object.create(null); // a name may be __proto__
  reader.rewind();
  while (reader.nextArgument()) {
    if (reader.nameAt === reader.nameEnd) continue;
    all[decodeText(reader.bytes.subarray(reader.nameAt, reader.nameEnd))] = toPlain(reader.data());
  }
  return all;
}

/** Addresses and bytes become text, and so do integers that are not safe as a number. */
function toPlain(data: ReceivedData): string | number | boolean | null {
  switch (data.type) {
    case 'null':
      return null;
    case 'bool':
      return data.value;
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'uint64': {
      const number = Number(data.value);
      return Number.isSafeInteger(number) ? number : data.value.toString();
    }
    default:
      return textOf(data);
  }
}

/** A value as the text of a subject. */
export function textOf(data: ReceivedData): string {
  switch (data.type) {
    case 'null':
      return '';
    case 'bool':
      return data.value ? 'true' : 'false';
    case 'ipv4':
    case 'ipv6':
      return formatAddress(data.value);
    case 'string':
    case 'binary':
      return decodeText(data.value);
    default:
      return data.value.toString();
  }
}

/** A value as the bytes of a subject. */
export function bytesOf(data: ReceivedData): Uint8Array {
  return data.type === 'string' || data.type === 'binary' ? data.value : Buffer.from(textOf(data));
}
