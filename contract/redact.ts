import { createHash } from 'node:crypto';

/** Of a SHA-256, in hexadecimal digits: nobody finds two values with the same by chance, and it fits into a line. */
const DIGITS = 16;

/** Kinds whose values let somebody in: sessions, tokens, keys. */
export function isSecretKind(kind: string): boolean {
  return kind === 'key' || kind.startsWith('cookie.') || kind.startsWith('header.');
}

/**
 * A subject as logs, pages, answers and errors name it: the value of a kind that lets somebody in as the beginning of its
 * SHA-256, `cookie.session:sha256:9f86d081884c7d65`, any other as it is. A `key` is a digest already.
 */
export function redactedSubject(subject: string): string {
  const colon = subject.indexOf(':');
  const kind = subject.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  if (!isSecretKind(kind)) return subject;
  const value = subject.slice(colon + 1);
  if (kind === 'key' && /^sha256:[0-9a-f]{64}$/.test(value)) return subject;
  return `${kind}:sha256:${createHash('sha256').update(value).digest('hex').slice(0, DIGITS)}`;
}

/** Whether a text is what a cookie or header is told as: whoever copies it from a log would list nobody. */
export function isRedactedSubject(text: string): boolean {
  return /^(cookie|header)\.[^:]+:sha256:[0-9a-f]{16}$/i.test(text);
}
