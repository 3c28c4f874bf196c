import { Address } from './address.ts';

const IP = 'ip:';

/** A subject as the cache and the loader know it: an address as integers, any other kind by its canonical text alone. */
export class LookupSubject {
  readonly address: Address | undefined;
  #text: string | undefined;

  private constructor(address: Address | undefined, text: string | undefined) {
    this.address = address;
    this.#text = text;
  }

  /** Copies the address. */
  static ofAddress(address: Address): LookupSubject {
    return new LookupSubject(address.copy(), undefined);
  }

  /** A subject of any other kind. */
  static ofText(text: string): LookupSubject {
    return new LookupSubject(undefined, text);
  }

  /** Any subject from its canonical text. */
  static parse(text: string): LookupSubject {
    const [value = '', length] = text.slice(IP.length).split('/');
    const address = new Address(length === undefined ? undefined : Number(length));
    const isAddress = text.startsWith(IP) && address.readText(value);
    return new LookupSubject(isAddress ? address : undefined, text);
  }

  get text(): string {
    this.#text ??= `${IP}${this.address}`;
    return this.#text;
  }
}
