import { printable } from '../printable.ts';
import { type Kind, MAX_SUBJECT_BYTES, SubjectError } from './kind.ts';

/** A method: a token (RFC 9110 9.1) in upper case, as all registered ones are. */
export const METHOD: Kind = {
  isClientChosen: true,
  maxBytes: MAX_SUBJECT_BYTES,
  tooLong: () => null,
  canonicalizeEntry: (text) => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)) throw wrong('method', text, 'a method, such as POST');
    return text.toUpperCase();
  },
};

/** A code of ISO 3166-1, or one that databases add for what is not a country, such as T1 for Tor. */
export const COUNTRY: Kind = {
  isClientChosen: false,
  maxBytes: 2,
  canonicalizeEntry: (text) => {
    if (!/^[A-Za-z][A-Za-z0-9]$/.test(text)) throw wrong('country', text, 'two letters, such as DE');
    return text.toUpperCase();
  },
};

const MAX_ASN = 4_294_967_295;

/** The number of an autonomous system, in plain digits (RFC 5396 asplain). */
export const ASN: Kind = {
  isClientChosen: false,
  maxBytes: 12,
  canonicalizeEntry: (text) => {
    const digits = /^(?:AS)?(0|[1-9]\d{0,9})$/i.exec(text)?.[1];
    if (digits !== undefined && Number(digits) <= MAX_ASN) return digits;
    throw wrong('asn', text, `a number from 0 to ${MAX_ASN} without leading zeros, such as 64500 or AS64500`);
  },
};

/** A JA4 fingerprint: protocol, TLS version, SNI, two counts and ALPN; digests of ciphers and of extensions. */
export const JA4: Kind = {
  isClientChosen: true,
  maxBytes: 36,
  canonicalizeEntry: (text) => {
    const fingerprint = text.toLowerCase();
    if (/^[tqd][0-9a-z]{2}[di]\d{4}[0-9a-z]{2}(_[0-9a-f]{12}){2}$/.test(fingerprint)) return fingerprint;
    throw wrong('ja4', text, 'a JA4 fingerprint, such as t13d1516h2_8daaf6152771_b186095e22b6');
  },
};

function wrong(kind: string, text: string, mustBe: string): SubjectError {
  return new SubjectError(`"${kind}:${printable(text)}" must be ${mustBe}`);
}
