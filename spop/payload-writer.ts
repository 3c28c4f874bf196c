import { encodeVarint64, LONG_VARINT, varintLength, writeVarint } from './varint.ts';

const encoder = new TextEncoder();

/** Builds the payloads that need not be fast: HELLO, DISCONNECT, and actions that are encoded once. */
export class PayloadWriter {
  #bytes = new Uint8Array(128);
  #length = 0;

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  varint(value: number): this {
    this.#reserve(varintLength(value));
    this.#length = writeVarint(this.#bytes, this.#length, value);
    return this;
  }

  varint64(value: bigint): this {
    return this.raw(encodeVarint64(value));
  }

  /** Bytes as they are, without a length before them. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A length-prefixed string or binary value. */
  text(value: string | Uint8Array): this {
    if (typeof value === 'string' && value.length < LONG_VARINT && this.#ascii(value)) return this;
    const bytes = typeof value === 'string' ? encoder.encode(value) : value;
    return this.varint(bytes.length).raw(bytes);
  }

  /** What was written so far; it stays as it is. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The encoder takes three times as long for names and words; false if this is not ASCII. */
  #ascii(text: string): boolean {
    const { length } = text;
    this.#reserve(1 + length);
    let at = this.#length;
    this.#bytes[at++] = length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) return false;
      this.#bytes[at++] = code;
    }
    this.#length = at;
    return true;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
