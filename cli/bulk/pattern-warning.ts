import { printable } from '../../contract/printable.ts';

/** Signs of a regular expression, of a pattern with wildcards, or of escapes for either. */
const PATTERN = /^\^|\$$|\\.|\.[*+]|\[[^\]]*-[^\]]*\]|\([^)]*\|[^)]*\)|\*|^\/.*\/i?$/;
/** One word without a version or a comment, which no agent is by itself that a browser or a crawler sends. */
const WORD = /^[\p{L}\p{N}._-]+$/u;

/** Counts values of kinds that match as a whole and look as if they were meant to match in part. */
export class PatternWarning {
  #patterns = 0;
  #parts = 0;
  #example: string | undefined;

  add(subject: string): void {
    const [, kind = '', value = ''] = /^(ua|header\.[^:]+):(.*)$/s.exec(subject) ?? [];
    const isPattern = PATTERN.test(value);
    if (kind === '' || (!isPattern && (kind !== 'ua' || !WORD.test(value)))) return;
    if (isPattern) this.#patterns++;
    else this.#parts++;
    this.#example ??= value;
  }

  /** What to tell before anything is written; undefined if nothing looks odd. */
  warning(): string | undefined {
    if (this.#example === undefined) return undefined;
    const seen = [
      ...(this.#patterns > 0 ? [`${this.#patterns} look like patterns`] : []),
      ...(this.#parts > 0 ? [`${this.#parts} like parts`] : []),
    ];
    return `user agents and headers match as a whole, but ${seen.join(', ')}, such as "${printable(this.#example)}": such an entry matches only this exact text`;
  }
}
