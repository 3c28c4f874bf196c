import type { Address } from '../decision/address.ts';
import type { Suffix } from './answer.ts';

const IP_BYTES = 'ip:'.length;
/** The longest text of an IPv6 network; with `ip:` before it its length is still one byte, as below 240. */
const MAX_TEXT_BYTES = 39 + 3;
const ZERO = 0x30;
const DOT = 0x2e;

/**
 * Completes an entry of `ip:`, which is the last thing said, with the address of the question at hand, without making text
 * of it where it is IPv4.
 */
export class AddressSuffix implements Suffix {
  readonly maxBytes = MAX_TEXT_BYTES;
  readonly #address: Address;

  constructor(address: Address) {
    this.#address = address;
  }

  write(out: Uint8Array, at: number): number {
    const address = this.#address;
    const end = address.words === 1 ? writeIpv4(out, at, address.a) : writeAscii(out, at, `${address}`);
    out[at - IP_BYTES - 1] = IP_BYTES + end - at;
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
