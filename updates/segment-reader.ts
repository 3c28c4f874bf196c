/** What a segment says, in the order of its lines. */
export interface SegmentSink {
  /** What the entries after it say beside subject, list and expiry; as received, not checked. */
  ofClass(received: object): void;
  /** An IPv4 address or network in canonical form, as a signed word. */
  ipv4(address: number, prefix: number, expiresAt: number | undefined): void;
  /** An IPv6 address or network in canonical form, as words; without this it is told as any other entry. */
  ipv6?(words: Int32Array, prefix: number, expiresAt: number | undefined): void;
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
const COLON = 0x3a;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** `"ip:` */
const BEGIN = [QUOTE, 0x69, 0x70, 0x3a] as const;

/** Reads a segment some lines at a time. Lines with an IPv4 address are read without making text of them, and so are those with IPv6. */
export class SegmentReader {
  readonly #bytes: Uint8Array;
  readonly #sink: SegmentSink;
  #at = 0;
  #line = 0;
  #hasClass = false;
  /** The end of what was read last. */
  #next = 0;
  #expiresAt: number | undefined;
  readonly #groups = new Uint16Array(8);
  readonly #words = new Int32Array(4);

  constructor(bytes: Uint8Array, sink: SegmentSink) {
    this.#bytes = bytes;
    this.#sink = sink;
  }

  /** Reads so many lines; whether there are more. */
  read(lines: number): boolean {
    for (let left = lines; left > 0 && this.#at < this.#bytes.length; left--) {
      this.#line++;
      if (!this.#hasClass || !this.#readAddress()) this.#readLine();
      this.#at = this.#next;
    }
    return this.#at < this.#bytes.length;
  }

  /** False, and nothing is told, if the line is anything else. */
  #readAddress(): boolean {
    const isArray = this.#bytes[this.#at] === OPEN;
    const from = this.#at + (isArray ? 1 : 0);
    this.#next = from;
    for (const byte of BEGIN) if (!this.#skip(byte)) return false;
    return this.#readIpv4(isArray) || (this.#sink.ipv6 !== undefined && this.#readIpv6(from + BEGIN.length, isArray));
  }

  #readIpv4(isArray: boolean): boolean {
    let address = 0;
    for (let part = 0; part < 4; part++) {
      if (part > 0 && !this.#skip(DOT)) return false;
      const octet = this.#number(3);
      if (octet < 0 || octet > 255) return false;
      address = (address << 8) | octet;
    }
    const prefix = this.#prefix(32);
    if (prefix < 0 || (address & hostBits(prefix)) !== 0 || !this.#readEnd(isArray)) return false;
    this.#sink.ipv4(address, prefix, this.#expiresAt);
    return true;
  }

  #readIpv6(from: number, isArray: boolean): boolean {
    this.#next = from;
    if (!this.#readGroups()) return false;
    const groups = this.#groups;
    const words = this.#words;
    for (let word = 0; word < 4; word++)
      words[word] = ((groups[2 * word] as number) << 16) | (groups[2 * word + 1] as number);
    const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff; // written as IPv4
    const prefix = this.#prefix(128);
    if (isMapped || prefix < 0 || !hasNoHostBits(words, prefix) || !this.#readEnd(isArray)) return false;
    this.#sink.ipv6?.(words, prefix, this.#expiresAt);
    return true;
  }

  /** Reads eight groups as RFC 5952 writes them: `::` for the first of the longest runs of two zeros or more, and only there. */
  #readGroups(): boolean {
    const groups = this.#groups;
    let count = 0;
    let gap = -1;
    if (this.#skip(COLON)) {
      if (!this.#skip(COLON)) return false;
      gap = 0;
    }
    for (;;) {
      const group = this.#hex();
      if (group < 0) {
        if (gap !== count) return false;
        break;
      }
      if (count === 8) return false;
      groups[count++] = group;
      if (!this.#skip(COLON)) break;
      if (!this.#skip(COLON)) continue;
      if (gap >= 0) return false;
      gap = count;
    }
    const zeros = 8 - count;
    if (gap < 0 ? zeros !== 0 : zeros < 2) return false;
    if (gap >= 0) {
      groups.copyWithin(gap + zeros, gap, count);
      groups.fill(0, gap, gap + zeros);
    }
    return isLongestRun(groups, gap, zeros);
  }

  /** A group of at most four digits in lower case without a leading zero; -1 if there is none. */
  #hex(): number {
    const from = this.#next;
    let value = 0;
    for (; this.#next < from + 5; this.#next++) {
      const digit = hexDigit(this.#bytes[this.#next] ?? 0);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    const length = this.#next - from;
    return length === 0 || length > 4 || (length > 1 && this.#bytes[from] === 0x30) ? -1 : value;
  }

  /** The length after the address, `bits` if there is none; -1 if it is not one. */
  #prefix(bits: number): number {
    if (!this.#skip(SLASH)) return bits;
    const prefix = this.#number(3);
    return prefix < bits ? prefix : -1;
  }

  /** Reads what follows the address. */
  #readEnd(isArray: boolean): boolean {
    if (!this.#skip(QUOTE)) return false;
    this.#expiresAt = undefined;
    if (isArray) {
      if (!this.#skip(COMMA)) return false;
      this.#expiresAt = this.#number(15);
      if (this.#expiresAt < 0 || !this.#skip(CLOSE)) return false;
    }
    return this.#skip(LINE_FEED);
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

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

/** Whether no run of zeros is longer than that of so many from here on, and none before it as long; a single one is no run. */
function isLongestRun(groups: Uint16Array, from: number, zeros: number): boolean {
  let run = 0;
  for (let at = 0; at < 8; at++) {
    run = groups[at] === 0 ? run + 1 : 0;
    const isBefore = from < 0 || at < from;
    if (run > 1 && (isBefore ? run >= zeros : run > zeros)) return false;
  }
  return true;
}

function hasNoHostBits(words: Int32Array, prefix: number): boolean {
  for (let word = 0; word < 4; word++) {
    if (((words[word] as number) & hostBits(prefix - word * 32)) !== 0) return false;
  }
  return true;
}

/** The bits of a word after a prefix. */
function hostBits(prefix: number): number {
  if (prefix >= 32) return 0;
  return prefix <= 0 ? -1 : -1 >>> prefix;
}
