import { Cursor, decodeText } from './cursor.ts';
import { DataType, IPV4_BYTES, IPV6_BYTES, type ReceivedData, readData, TYPE_MASK } from './data.ts';
import { invalidFrame } from './errors.ts';
import type { Frame } from './frame.ts';

/**
 * Walks a NOTIFY payload without making anything: names and values are positions in `bytes`, and only what the caller
 * asks for (`data`, `name`) becomes an object. Arguments not walked are checked and skipped all the same, so that
 * `nextMessage` returns false only at the end of a frame that was sound throughout. Every method throws `SpopError`.
 */
export class NotifyReader {
  bytes: Uint8Array = new Uint8Array(0);
  /** The message's name, `messageAt` to `messageEnd`. */
  messageAt = 0;
  messageEnd = 0;
  /** The argument's name, `nameAt` to `nameEnd`; empty when the configuration gave it none. */
  nameAt = 0;
  nameEnd = 0;
  /** The argument's type, one of `DataType`; its value is `valueAt` to `valueEnd`, without a string's length. */
  type = 0;
  valueAt = 0;
  valueEnd = 0;
  #typeAt = 0;
  #argumentsLeft = 0;
  readonly #cursor = new Cursor(this.bytes);

  /** Starts at the first message of this frame. */
  open(frame: Frame): void {
    this.bytes = frame.bytes;
    this.#cursor.moveTo(frame.bytes, frame.payloadAt, frame.end);
    this.#argumentsLeft = 0;
  }

  /** Steps to the next message, past whatever is left of the current one; false at the end of the frame. */
  nextMessage(): boolean {
    while (this.#argumentsLeft > 0) this.nextArgument();
    const cursor = this.#cursor;
    if (cursor.at === cursor.end) return false;
    const length = cursor.length();
    this.messageAt = cursor.at;
    cursor.skip(length);
    this.messageEnd = cursor.at;
    this.#argumentsLeft = cursor.byte();
    return true;
  }

  /** Steps to the next argument of this message; false after the last. */
  nextArgument(): boolean {
    if (this.#argumentsLeft === 0) return false;
    this.#argumentsLeft--;
    const cursor = this.#cursor;
    const length = cursor.length();
    this.nameAt = cursor.at;
    cursor.skip(length);
    this.nameEnd = cursor.at;
    this.#typeAt = cursor.at;
    this.type = cursor.byte() & TYPE_MASK;
    this.#skipValue(cursor);
    this.valueEnd = cursor.at;
    return true;
  }

  /** The argument's value, decoded and copied. */
  data(): ReceivedData {
    return readData(new Cursor(this.bytes, this.#typeAt, this.valueEnd));
  }

  #skipValue(cursor: Cursor): void {
    switch (this.type) {
      case DataType.string:
      case DataType.binary: {
        const length = cursor.length();
        this.valueAt = cursor.at;
        cursor.skip(length);
        return;
      }
      case DataType.ipv4:
        this.valueAt = cursor.at;
        cursor.skip(IPV4_BYTES);
        return;
      case DataType.ipv6:
        this.valueAt = cursor.at;
        cursor.skip(IPV6_BYTES);
        return;
      case DataType.int32:
      case DataType.uint32:
      case DataType.int64:
      case DataType.uint64:
        this.valueAt = cursor.at;
        cursor.skipVarint();
        return;
      case DataType.null:
      case DataType.bool:
        this.valueAt = cursor.at;
        return;
      default:
        throw invalidFrame(`value type ${this.type} is reserved`);
    }
  }
}

/** An argument of a message; the name is empty when the configuration gave it none. */
export interface Argument {
  readonly name: string;
  readonly value: ReceivedData;
}

/** One message of a NOTIFY, arguments in the order sent. */
export interface Message {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** Decodes all messages of a NOTIFY into objects: the comfortable way, at several times the cost of `NotifyReader`. */
export function decodeNotify(frame: Frame): Message[] {
  const reader = new NotifyReader();
  const messages: Message[] = [];
  reader.open(frame);
  while (reader.nextMessage()) {
    const args: Argument[] = [];
    const name = decodeText(reader.bytes.subarray(reader.messageAt, reader.messageEnd));
    while (reader.nextArgument()) {
      args.push({ name: decodeText(reader.bytes.subarray(reader.nameAt, reader.nameEnd)), value: reader.data() });
    }
    messages.push({ name, args });
  }
  return messages;
}
