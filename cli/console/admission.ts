import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a browser gets for the token of the link. */
export interface Pass {
  /** For the header `set-cookie`. Scripts cannot read it. */
  readonly cookie: string;
  /** For the header of every order. Cookies are sent to all ports of a host, so it is kept where another port cannot read it. */
  readonly key: string;
}

/** Lets in one browser: whoever opens the link first. */
export class Admission {
  /** In the link. It works once. */
  readonly token = secret();
  readonly #session = secret();
  readonly #key = secret();
  readonly #cookieName: string;
  #isTaken = false;

  constructor(port: number) {
    this.#cookieName = `haverdict-console-${port}`; // of several consoles each has its own
  }

  /** The pass for this token; undefined for a wrong one and from the second time on. */
  exchange(token: string): Pass | undefined {
    if (this.#isTaken || !isSame(token, this.token)) return undefined;
    this.#isTaken = true;
    return { cookie: `${this.#cookieName}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`, key: this.#key };
  }

  hasCookie(header: string | undefined): boolean {
    const cookies = (header ?? '').split(';').map((one) => one.trim().split('='));
    return cookies.some(([name, value = '']) => name === this.#cookieName && isSame(value, this.#session));
  }

  hasKey(header: string | string[] | undefined): boolean {
    return typeof header === 'string' && isSame(header, this.#key);
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** In a time that tells nothing about either. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
