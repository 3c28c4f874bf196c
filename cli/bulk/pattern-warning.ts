import { printable } from '../../contract/printable.ts';
import { specificity } from '../../contract/subject.ts';

/** Signs of a regular expression, of a pattern with wildcards, or of escapes for either. */
const PATTERN = /^\^|\$$|\\.|\.[*+]|\[[^\]]*-[^\]]*\]|\([^)]*\|[^)]*\)|\*|^\/.*\/i?$/;
/** One word without version or comment: no browser or crawler sends such a User-Agent. */
const WORD = /^[\p{L}\p{N}._-]+$/u;

/** Counts whole values that look like patterns or parts. */
export class PatternWarning {
  #patterns = 0;
  #parts = 0;
  #example: string | undefined;

  add(subject: string): void {
    const [, kind = '', value = ''] = /^(ua|header\.[^:]+):(.*)$/s.exec(subject) ?? [];
    const isPattern = PATTERN.test(value);
    if (Number.isFinite(specificity(subject))) return; // a name
    if (kind === '' || (!isPattern && (kind !== 'ua' || !WORD.test(value)))) return;
    if (isPattern) this.#patterns++;
    else this.#parts++;
    this.#example ??= value;
  }

  /** The warning to print before anything is written; undefined if there is none. */
  warning(): string | undefined {
    if (this.#example === undefined) return undefined;
    const seen = [
      ...(this.#patterns > 0 ? [`${this.#patterns} look like patterns`] : []),
      ...(this.#parts > 0 ? [`${this.#parts} like parts`] : []),
    ];
    return `user agents and headers match as a whole, but ${seen.join(', ')}, such as "${printable(this.#example)}": such an entry matches only this exact text; --contains reads names`;
  }
}
