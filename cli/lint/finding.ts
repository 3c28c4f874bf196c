import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';

/** All findings of `lint`, by id. A problem is an error; a note is for the operator to judge. */
export const FINDINGS = {
  'bad-subject': 'problem',
  'host-bits': 'problem',
  'unknown-kind': 'problem',
  'not-canonical': 'problem',
  'plain-secret': 'problem',
  duplicate: 'problem',
  'bad-attributes': 'problem',
  'long-expired': 'problem',
  'never-asked': 'problem',
  'not-counted': 'problem',
  unsupported: 'problem',
  shadowed: 'problem',
  'unreadable-record': 'problem',
  'unregistered-list': 'problem',
  unseen: 'note',
  'by-hand': 'note',
} as const;
export type FindingId = keyof typeof FINDINGS;

/** A repair that affects only requests that the entry was meant for. */
export type Repair =
  | { readonly how: 'rewrite'; readonly item: Item; readonly entry: StoredEntry }
  | { readonly how: 'delete'; readonly item: Item }
  | { readonly how: 'register'; readonly list: string };

export interface Finding {
  readonly id: FindingId;
  /** Printable, without secrets. */
  readonly subject: string;
  readonly list: string;
  /** The error, and what would be right. */
  readonly problem: string;
  readonly repair?: Repair;
}
