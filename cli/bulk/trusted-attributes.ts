import { ACTIONS, isAction } from '../../contract/actions.ts';
import { headerOf, isPlainVar } from '../../contract/entry-vars.ts';
import { isKind } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import type { FeedEntry } from '../formats/feed-line.ts';

/** The entry that is accepted, or the words that `--trust` lacks for it. */
export type TrustResult = { readonly entry: FeedEntry } | { readonly missing: readonly string[] };

/**
 * What a source may set. Subjects of the list's kind, `reason`, `note` and expiry are always accepted; each word of
 * `--trust` permits more: an action, a kind, `status`, or `var.NAME`.
 */
export class TrustedAttributes {
  readonly #kind: string;
  readonly #words: ReadonlySet<string>;

  constructor(kind: string, words: readonly string[]) {
    this.#kind = kind;
    this.#words = new Set(words);
  }

  /** The value of `--trust` with these words added. */
  with(words: Iterable<string>): string {
    return [...new Set([...this.#words, ...words])].sort().join(',');
  }

  /** An untrusted `deny` is accepted as mere membership in the list: the action then comes from the options. */
  judge(entry: FeedEntry): TrustResult {
    const { subject, action = 'deny', status, vars = {} } = entry;
    const kind = subject.slice(0, subject.indexOf(':'));
    const required = [
      ...(kind === this.#kind ? [] : [kind]),
      ...(action === 'deny' ? [] : [action]),
      ...(status === undefined ? [] : ['status']),
      ...Object.keys(vars).map((name) => `var.${name}`),
    ];
    const missing = required.filter((word) => !this.#words.has(word));
    if (missing.length > 0) return { missing };
    if (action !== 'deny' || this.#words.has('deny')) return { entry };
    const { action: _deny, vars: _vars, ...rest } = entry;
    return { entry: Object.keys(vars).length === 0 ? rest : { ...rest, vars } }; // without variables those of the command apply
  }
}

/** Parses the value of `--trust`; `none` alone means no words. */
export function readTrust(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.length === 1 && words[0] === 'none') return [];
  const invalid = words.find((word) => !isTrustWord(word));
  if (invalid === undefined) return words;
  throw usageError(
    `--trust "${invalid}" is not valid: write actions (${ACTIONS.join(', ')}), kinds, status, var.NAME, or none`,
  );
}

function isTrustWord(word: string): boolean {
  if (word === 'status' || isKind(word) || isAction(word)) return true;
  const name = word.startsWith('var.') ? word.slice('var.'.length) : '';
  return headerOf(name) !== undefined || isPlainVar(name);
}

/** Parses the stored value; ignores words that are no longer valid. */
export function storedTrust(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').filter(isTrustWord);
}
