import { printable } from '../../contract/printable.ts';
import { SubjectError } from '../../contract/subject.ts';
import { canMean, folded, foldedName, isNothing, type Meaning, meaningOf } from './extra-field-meaning.ts';
import type { FeedRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';

/** Deeper than the fields of any real feed. */
const MAX_DEPTH = 8;
/** Field names in one remark. */
const MAX_NAMED = 12;

/** Fields with free text: no word in them is a flag. */
const TEXTS = /reason|note|comment|descr|remark|summary|title/;

/** Checks the fields of records that the format does not read, and remembers which were ignored. */
export class ExtraFields {
  readonly #ignored: ReadonlySet<string>;
  readonly #left = new Set<string>();
  readonly #lengths = new Set<string>();

  /** `ignored` are the field names of `--ignore`, in any spelling. */
  constructor(ignored: readonly string[] = []) {
    this.#ignored = new Set(ignored.map(folded));
  }

  /** The record without ignored fields. */
  of(record: FeedRecord): FeedRecord {
    if (this.#ignored.size === 0) return record;
    return Object.fromEntries(Object.entries(record).filter(([name]) => !this.#ignored.has(foldedName(name))));
  }

  /** Throws for a field that is not read and changes the meaning of the entry of these subjects. */
  check(record: FeedRecord, isRead: (name: string) => boolean, subjects: readonly string[]): void {
    for (const name of this.#others(record, isRead, subjects))
      if (this.#left.size <= MAX_NAMED && !canMean(name)) this.#left.add(name);
  }

  /** The same for the object around the records; `items` are the fields that contain the records. */
  checkAround(document: FeedRecord, items: readonly string[]): void {
    this.#others(this.of(document), (name) => items.includes(name), []);
  }

  #others(record: FeedRecord, isRead: (name: string) => boolean, subjects: readonly string[]): string[] {
    const others = Object.keys(record).filter((name) => !isRead(name) && !isNothing(record[name]));
    let first: InvalidLineError | undefined;
    for (const name of others) {
      const refusal = refusalIn(name, record[name], subjects);
      if (refusal?.exempt !== undefined) throw refusal; // the most important
      first ??= refusal;
    }
    if (first !== undefined) throw first;
    return others;
  }

  /** The error for an invalid record: an exemption is reported whatever else is wrong with the record. */
  misread(error: unknown, record: FeedRecord, subjects: readonly string[]): unknown {
    const isOurs = error instanceof SubjectError || (error instanceof InvalidLineError && error.exempt === undefined);
    if (!isOurs) return error;
    const isExempt = Object.entries(record).some(
      ([name, value]) => refusalIn(name, value, subjects)?.exempt !== undefined,
    );
    return isExempt ? new InvalidLineError(error.message, onlyOne(subjects)) : error;
  }

  /** Remembers that this field was read as a prefix length. */
  noteLength(name: string): void {
    if (this.#lengths.size < MAX_NAMED) this.#lengths.add(name);
  }

  /** Remarks for the operator about the fields that were seen. */
  remarks(): string[] {
    return [
      ...(this.#lengths.size > 0 ? [`read as prefix lengths: ${listOf(this.#lengths)}`] : []),
      ...(this.#left.size > 0 ? [`ignored fields: ${listOf(this.#left)}`] : []),
    ];
  }
}

/** The subject, or `''` for several: which of them is exempt cannot be told as one. */
function onlyOne(subjects: readonly string[]): string {
  return subjects.length === 1 ? (subjects[0] ?? '') : '';
}

function listOf(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, MAX_NAMED).map((name) => printable(name, 40));
  return `${shown.join(', ')}${names.size > MAX_NAMED ? ' and more' : ''}`;
}

function refusalIn(name: string, value: unknown, subjects: readonly string[]): InvalidLineError | undefined {
  try {
    refuseIn(name, value, subjects, 0);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidLineError) return error;
    throw error;
  }
}

function refuseIn(name: string, value: unknown, subjects: readonly string[], depth: number): void {
  if (TEXTS.test(foldedName(name)) && typeof value === 'string') return;
  if (depth > MAX_DEPTH) throw new InvalidLineError(`${printable(name, 60)} is nested too deeply`);
  if (typeof value !== 'object' || value === null) {
    for (const part of name.split('.')) {
      const meaning = meaningOf(part, value, subjects[0] ?? '');
      if (meaning !== undefined) throw refused(name, value, meaning, subjects);
    }
  } else if (Array.isArray(value)) for (const item of value) refuseIn(name, item, subjects, depth + 1);
  else for (const [inner, item] of Object.entries(value)) refuseIn(`${name}.${inner}`, item, subjects, depth + 1);
}

const SAYS: Readonly<Record<Meaning, string>> = {
  exempt: 'exempts the subject from blocking',
  void: 'marks the entry as inactive',
  other: 'may change the meaning of the entry and is not supported',
};

function refused(name: string, value: unknown, meaning: Meaning, subjects: readonly string[]): InvalidLineError {
  const field = printable(name, 60);
  return new InvalidLineError(
    `${field} "${printable(String(value))}" ${SAYS[meaning]}: remove it, or ignore the field with --ignore ${field.replace(/\..*/, '')}`,
    meaning === 'exempt' ? onlyOne(subjects) : undefined,
  );
}
