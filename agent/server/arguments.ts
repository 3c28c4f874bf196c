import { formatAddress } from '../../contract/address.ts';
import { decodeText } from '../../spop/cursor.ts';
import type { ReceivedData } from '../../spop/data.ts';
import type { NotifyReader } from '../../spop/notify.ts';

/** What a message brought, by name. */
export type Arguments = Readonly<Record<string, string | number | boolean | null>>;

/** All arguments of the reader's message that have a name, also those that were read before. */
export function readArguments(reader: NotifyReader): Arguments {
  const all: Record<string, string | number | boolean | null> = Object.create(null); // a name may be __proto__
  reader.rewind();
  while (reader.nextArgument()) {
    if (reader.nameAt === reader.nameEnd) continue;
    all[decodeText(reader.bytes.subarray(reader.nameAt, reader.nameEnd))] = plain(reader.data());
  }
  return all;
}

/** Addresses and whatever HAProxy sends as bytes are text; whole numbers are, where they would not be exact. */
function plain(data: ReceivedData): string | number | boolean | null {
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

/** Any value as the text that a subject has for it. */
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

/** Any value as bytes: those of a text as they came. */
export function bytesOf(data: ReceivedData): Uint8Array {
  return data.type === 'string' || data.type === 'binary' ? data.value : Buffer.from(textOf(data));
}
