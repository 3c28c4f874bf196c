/** What a segment says, in the order of its lines. */
export interface SegmentSink {
  /** What the entries after it say beside subject, list and expiry; as received, not checked. */
  ofClass(received: object): void;
  /** An IPv4 address or network in canonical form, as a number. */
  ipv4(address: number, prefix: number, expiresAt: number | undefined): void;
  /** Any other entry, not checked: its key and its subject, which are the same where the key is canonical. */
  entry(key: string, subject: string, expiresAt: number | undefined): void;
}

/** The segment is not one. The message says which line. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DOT = 0x2e;
const SLASH = 0x2f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** `"ip:` */
const BEGIN = [QUOTE, 0x69, 0x70, 0x3a] as const;

/** Reads a segment some lines at a time. Lines with an IPv4 address are read without making text of them. */
export class SegmentReader {
  readonly #bytes: Uint8Array;
  readonly #sink: SegmentSink;
  #at = 0;
  #line = 0;
  #hasClass = false;
  /** The end of what was read last. */
  #next = 0;

  constructor(bytes: Uint8Array, sink: SegmentSink) {
    this.#bytes = bytes;
    this.#sink = sink;
  }

  /** Reads so many lines; whether there are more. */
  read(lines: number): boolean {
    for (let left = lines; left > 0 && this.#at < this.#bytes.length; left--) {
      this.#line++;
      if (!this.#hasClass || !this.#readIpv4()) this.#readLine();
      this.#at = this.#next;
    }
    return this.#at < this.#bytes.length;
  }

  /** False, and nothing is told, if the line is anything else. */
  #readIpv4(): boolean {
    const isArray = this.#bytes[this.#at] === OPEN;
    this.#next = this.#at + (isArray ? 1 : 0);
    for (const byte of BEGIN) if (!this.#skip(byte)) return false;
    let address = 0;
    for (let part = 0; part < 4; part++) {
      if (part > 0 && !this.#skip(DOT)) return false;
      const octet = this.#number(3);
      if (octet < 0 || octet > 255) return false;
      address = address * 256 + octet;
    }
    let prefix = 32;
    if (this.#skip(SLASH)) {
      prefix = this.#number(2);
      if (prefix < 0 || prefix > 31 || address % 2 ** (32 - prefix) !== 0) return false;
    }
    if (!this.#skip(QUOTE)) return false;
    let expiresAt: number | undefined;
    if (isArray) {
      if (!this.#skip(COMMA)) return false;
      expiresAt = this.#number(15);
      if (expiresAt < 0 || !this.#skip(CLOSE)) return false;
    }
    if (!this.#skip(LINE_FEED)) return false;
    this.#sink.ipv4(address, prefix, expiresAt);
    return true;
  }

  #skip(byte: number): boolean {
    if (this.#bytes[this.#next] !== byte) return false;
    this.#next++;
    return true;
  }

  /** A number as JSON has it, of so many digits at most; -1 if there is none. */
  #number(digits: number): number {
    const from = this.#next;
    let value = 0;
    for (; this.#next < from + digits; this.#next++) {
      const digit = (this.#bytes[this.#next] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const hasLeadingZero = this.#bytes[from] === 0x30 && this.#next > from + 1;
    return this.#next === from || hasLeadingZero ? -1 : value;
  }

  #readLine(): void {
    const end = this.#bytes.indexOf(LINE_FEED, this.#at);
    if (end < 0) throw this.#wrong('has no end');
    this.#next = end + 1;
    const line = this.#json(new TextDecoder().decode(this.#bytes.subarray(this.#at, end)));
    if (typeof line === 'object' && line !== null && !Array.isArray(line)) {
      this.#sink.ofClass(line);
      this.#hasClass = true;
      return;
    }
    if (!this.#hasClass) throw this.#wrong('is an entry before the first class');
    const [key, expiresAt = null, subject = key, ...more]: unknown[] = Array.isArray(line) ? line : [line];
    if (typeof key !== 'string' || typeof subject !== 'string' || !isExpiry(expiresAt) || more.length > 0)
      throw this.#wrong('is neither a class nor an entry');
    this.#sink.entry(key, subject, expiresAt ?? undefined);
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#wrong('is not JSON');
    }
  }

  #wrong(problem: string): SegmentError {
    return new SegmentError(`line ${this.#line} ${problem}`);
  }
}

function isExpiry(value: unknown): value is number | null {
  return value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
}
