import { createHash } from 'node:crypto';

/** Hexadecimal digits of the SHA-256 that are shown: enough to be unique in practice, and short enough for a line. */
const DIGITS = 16;

/** Kinds whose values may be credentials: sessions, tokens, keys. */
export function isSecretKind(kind: string): boolean {
  return kind === 'key' || kind.startsWith('cookie.') || kind.startsWith('header.');
}

/**
 * A subject as logs, pages, answers and errors show it: a secret value is replaced by the beginning of its SHA-256, as in
 * `cookie.session:sha256:9f86d081884c7d65`; any other is unchanged. A `key` is a digest already.
 */
export function redactedSubject(subject: string): string {
  const colon = subject.indexOf(':');
  const kind = subject.slice(0, Math.max(colon, 0)).trim().toLowerCase();
  if (!isSecretKind(kind)) return subject;
  const value = subject.slice(colon + 1);
  if (kind === 'key' && /^sha256:[0-9a-f]{64}$/.test(value)) return subject;
  return `${kind}:sha256:${createHash('sha256').update(value).digest('hex').slice(0, DIGITS)}`;
}

/** Whether a text is a redacted cookie or header, as copied from a log: an entry for it would never match. */
export function isRedactedSubject(text: string): boolean {
  return /^(cookie|header)\.[^:]+:sha256:[0-9a-f]{16}$/i.test(text);
}
