import { ACTIONS, isAction } from '../../contract/actions.ts';
import { headerOf, isPlainVar } from '../../contract/entry-vars.ts';
import { isKind } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import type { FeedEntry } from '../formats/feed-line.ts';

/** What an entry that a source named comes to, or the words that it would take. */
export type TrustResult = { readonly entry: FeedEntry } | { readonly missing: readonly string[] };

/**
 * What a source may say of its entries. Subjects of the list's kind, texts for people and ends always; more only by words:
 * the names of actions and of kinds, `status`, and `var.NAME`.
 */
export class Trust {
  readonly #kind: string;
  readonly #words: ReadonlySet<string>;

  constructor(kind: string, words: readonly string[]) {
    this.#kind = kind;
    this.#words = new Set(words);
  }

  /** With these words as well: the value of `--trust`. */
  with(words: Iterable<string>): string {
    return [...new Set([...this.#words, ...words])].sort().join(',');
  }

  /** A `deny` needs no word, and says no more than that the subject is in the list: what is done then is decided here. */
  judge(entry: FeedEntry): TrustResult {
    const { subject, action = 'deny', status, vars = {} } = entry;
    const kind = subject.slice(0, subject.indexOf(':'));
    const said = [
      ...(kind === this.#kind ? [] : [kind]),
      ...(action === 'deny' ? [] : [action]),
      ...(status === undefined ? [] : ['status']),
      ...Object.keys(vars).map((name) => `var.${name}`),
    ];
    const missing = said.filter((word) => !this.#words.has(word));
    if (missing.length > 0) return { missing };
    if (action !== 'deny' || this.#words.has('deny')) return { entry };
    const { action: _deny, vars: _vars, ...rest } = entry;
    return { entry: Object.keys(vars).length === 0 ? rest : { ...rest, vars } }; // no variables: those of the command
  }
}

/** The value of `--trust`; `none` is no word. */
export function readTrust(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.length === 1 && words[0] === 'none') return [];
  const odd = words.find((word) => !isTrustWord(word));
  if (odd === undefined) return words;
  throw usageError(
    `--trust "${odd}" is not valid: write actions (${ACTIONS.join(', ')}), kinds, status, var.NAME, or none`,
  );
}

function isTrustWord(word: string): boolean {
  if (word === 'status' || isKind(word) || isAction(word)) return true;
  const name = word.startsWith('var.') ? word.slice('var.'.length) : '';
  return headerOf(name) !== undefined || isPlainVar(name);
}

/** What a list's record says of it: words that are none any more count for nothing. */
export function storedTrust(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').filter(isTrustWord);
}
