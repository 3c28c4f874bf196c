import { createHash } from 'node:crypto';
import { type Kind, SubjectError } from './kind.ts';
import { hasBlankEnds } from './octets.ts';

const PREFIX = 'sha256:';

/** Secrets, of which the table and the backend see the SHA-256 only. No message has any of a secret in it. */
export const KEY: Kind = {
  isClientChosen: true,
  maxBytes: Number.POSITIVE_INFINITY,
  canonicalizeEntry: canonicalKey,
  // always hashed: whoever reads a digest in the table could else present it as the key
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
