import { formatSubject, lookupKeysOf, parseLookupSubject, SubjectError, specificity } from '../../contract/subject.ts';
import { Address, maskOf } from './address.ts';
import { LookupSubject } from './lookup-subject.ts';

const IP = 'ip:';

/** Subjects whose entries changed, by what they cover. */
export class ChangedSubjects {
  /** Those that cover themselves alone. */
  readonly single: LookupSubject[] = [];
  /** Networks, by the words of their addresses. */
  readonly networks = { 1: new ChangedNetworks(), 4: new ChangedNetworks() } as const;
  /** Wildcards of hosts and paths. */
  readonly wildcards: string[] = [];
  readonly #all = new Set<string>();

  /** Adds a subject as it is written in the table. One that no lookup asks for is left out: no verdict comes of it. */
  add(written: string): void {
    const text = canonical(written);
    if (text === undefined || this.#all.has(text)) return;
    this.#all.add(text);
    if (!Number.isFinite(specificity(text))) this.single.push(LookupSubject.parse(text));
    else if (text.startsWith(IP)) this.#addNetwork(text.slice(IP.length));
    else this.wildcards.push(text);
  }

  /** Whether an entry for one of them decides about this subject. */
  covers({ address, text }: LookupSubject): boolean {
    if (address === undefined) return lookupKeysOf(text).some((key) => this.#all.has(key));
    // thousands may be in flight, and the texts of all networks around each would take a hundred times as long
    return this.#all.has(text) || (address.words !== 0 && this.networks[address.words].covers(address.a, address.b));
  }

  #addNetwork(value: string): void {
    const [text = '', prefix] = value.split('/');
    const address = new Address();
    if (address.readText(text) && address.words !== 0) this.networks[address.words].add(address, Number(prefix));
  }
}

/** Networks of at most 64 bits, by their prefix lengths. */
export class ChangedNetworks {
  readonly #lengths = new Map<number, { maskA: number; maskB: number; known: Map<number, Set<number>> }>();

  get lengths(): number {
    return this.#lengths.size;
  }

  add({ a, b }: Address, prefix: number): void {
    const length = this.#lengths.get(prefix) ?? { maskA: maskOf(prefix), maskB: maskOf(prefix - 32), known: new Map() };
    this.#lengths.set(prefix, length);
    const known = length.known.get(a & length.maskA) ?? new Set();
    length.known.set(a & length.maskA, known.add(b & length.maskB));
  }

  /** Whether one of them covers the address with these first two words; IPv4 has only the first. */
  covers(a: number, b: number): boolean {
    for (const { maskA, maskB, known } of this.#lengths.values()) if (known.get(a & maskA)?.has(b & maskB)) return true;
    return false;
  }
}

function canonical(written: string): string | undefined {
  try {
    return formatSubject(parseLookupSubject(written));
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}
