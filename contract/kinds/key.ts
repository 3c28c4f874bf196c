import { createHash } from 'node:crypto';
import { hasBlankEnds } from '../byte-string.ts';
import { type Kind, SubjectError } from './kind.ts';

const PREFIX = 'sha256:';

/** Secret keys: the table and the backend see only the SHA-256, and messages show no part of the secret. */
export const KEY: Kind = {
  isClientChosen: true,
  maxBytes: Number.POSITIVE_INFINITY,
  canonicalizeEntry: canonicalKey,
  // always hashed: otherwise a digest read from the table could be presented as the key
  canonicalizeTraffic: (octets) => (hasBlankEnds(octets) ? undefined : digestOf(Buffer.from(octets, 'latin1'))),
};

function canonicalKey(text: string): string {
  if (!text.startsWith(PREFIX)) return digestOf(text);
  const hex = text.slice(PREFIX.length).toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new SubjectError('"key:sha256:…" is not a valid digest: write 64 hexadecimal digits');
  return `${PREFIX}${hex}`;
}

function digestOf(secret: string | Uint8Array): string {
  return `${PREFIX}${createHash('sha256').update(secret).digest('hex')}`;
}
