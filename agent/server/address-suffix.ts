import type { Address } from '../decision/address.ts';
import { ENTRY_ACTION, type Suffix } from './answer.ts';

/** `ip:` and the longest text of an IPv6 address; a length below 240 is one byte. */
const MAX_TEXT_BYTES = 3 + 39;
const IP = Uint8Array.of(0x69, 0x70, 0x3a);
const ZERO = 0x30;
const DOT = 0x2e;

/** Names the address of the question at hand as the entry, without making text of it where it is IPv4. */
export class AddressSuffix implements Suffix {
  readonly maxBytes = ENTRY_ACTION.length + 1 + MAX_TEXT_BYTES;
  readonly #address: Address;

  constructor(address: Address) {
    this.#address = address;
  }

  write(out: Uint8Array, at: number): number {
    out.set(ENTRY_ACTION, at);
    const lengthAt = at + ENTRY_ACTION.length;
    out.set(IP, lengthAt + 1);
    const textAt = lengthAt + 1 + IP.length;
    const end =
      this.#address.words === 1 ? writeIpv4(out, textAt, this.#address.a) : writeAscii(out, textAt, `${this.#address}`);
    out[lengthAt] = end - lengthAt - 1;
    return end;
  }
}

function writeIpv4(out: Uint8Array, at: number, word: number): number {
  let end = writeDecimal(out, at, word >>> 24);
  out[end++] = DOT;
  end = writeDecimal(out, end, (word >>> 16) & 0xff);
  out[end++] = DOT;
  end = writeDecimal(out, end, (word >>> 8) & 0xff);
  out[end++] = DOT;
  return writeDecimal(out, end, word & 0xff);
}

function writeDecimal(out: Uint8Array, at: number, byte: number): number {
  let end = at;
  if (byte >= 100) out[end++] = ZERO + Math.floor(byte / 100);
  if (byte >= 10) out[end++] = ZERO + (Math.floor(byte / 10) % 10);
  out[end++] = ZERO + (byte % 10);
  return end;
}

function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) out[at + index] = text.charCodeAt(index);
  return at + text.length;
}
