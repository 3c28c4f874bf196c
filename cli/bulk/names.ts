import { printable } from '../../contract/printable.ts';
import { formatSubject, parseSubject, SubjectError } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import type { FeedEntry } from '../formats/feed-line.ts';
import { InvalidLineError } from '../formats/invalid-line.ts';

/** Word boundaries around a pattern, as lists for nginx have them. */
const BOUNDARIES = /^(?:\(\?:)?\\b\)?|(?:\(\?:)?\\b\)?$/g;
/** A letter in both cases, as in `[wW]get`. */
const EITHER_CASE = /\[([a-z])([a-z])\]/gi;
/** Signs of a regular expression. */
const EXPRESSION = /(?<!\\)[[\](){}|^$*+?]|\\[a-z0-9]/i;
/** Different signs between two words, or any but a slash at an end: a name would match where the text does not. */
const LOST_SIGNS = /([^\p{L}\p{N}])(?!\1)[^\p{L}\p{N}]+(?=[\p{L}\p{N}])|^[^\p{L}\p{N}]|[^\p{L}\p{N}/]$/u;

/** With `--contains` the values of a source are parts of agents or headers: they become names. Counts them. */
export class Names {
  #words = 0;
  #phrases = 0;

  /** `kind` is that of the list. Throws unless its values can contain names. */
  constructor(kind: string) {
    if (!/^(ua$|header\.)/.test(kind))
      throw usageError(
        `--contains is for --kind ua and header.NAME: a subject of kind ${kind} is not looked up by parts`,
      );
  }

  /** The entry for the name, or why there is none. */
  read(entry: FeedEntry): { readonly entry: FeedEntry } | { readonly problem: string } {
    try {
      const subject = nameSubject(entry.subject);
      if (/[ /]/.test(subject)) this.#phrases++;
      else this.#words++;
      return { entry: { ...entry, subject } };
    } catch (error) {
      if (error instanceof SubjectError || error instanceof InvalidLineError) return { problem: error.message };
      throw error;
    }
  }

  /** One line about what was made of the source. */
  remark(): string {
    return `read as names that values contain: ${this.#words} of one word, ${this.#phrases} of several or with a version`;
  }
}

/**
 * The name that stands for a value: text, or a regular expression that is no more than text with escapes. Throws for an
 * expression that says more, and for a text that no name is as narrow as.
 */
function nameSubject(subject: string): string {
  const [, kind = '', value = ''] = /^([^:]*):(.*)$/s.exec(subject) ?? [];
  if (/^\*.*\*$/s.test(value)) return formatSubject(parseSubject(subject));
  const pattern = value
    .replace(BOUNDARIES, '')
    .replace(EITHER_CASE, (both, one: string, other: string) =>
      one.toLowerCase() === other.toLowerCase() ? one : both,
    );
  if (EXPRESSION.test(pattern))
    throw new InvalidLineError(`"${printable(value)}" is a regular expression: write the names that it matches`);
  if (/%[\da-f]{2}/i.test(pattern))
    throw new InvalidLineError(`"${printable(value)}" is percent-encoded: write it as clients send it`);
  const text = pattern.replace(/\\(.)/g, '$1').trim();
  if (LOST_SIGNS.test(text))
    throw new InvalidLineError(
      `"${printable(value)}" has signs that a name cannot keep: write its words, with blanks between`,
    );
  return formatSubject(parseSubject(`${kind}:*${text}*`));
}
