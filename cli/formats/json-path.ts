import { printable } from '../../contract/printable.ts';
import { meaningOf } from './extra-field-meaning.ts';
import { type FeedRecord, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';

/** A path such as `prefixes[].ip_prefix`: names, `*` for any name, `[]` for the items of an array. */
export type JsonPath = readonly string[];

export const ITEMS = '[]';
export const ANY = '*';
const STEP = /(\[\])|(?:^|(?<=.)\.)([^.[\]*]+|\*)/y;

/** Parses a path; undefined if it is none. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: string[] = [];
  for (let at = 0; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) return undefined;
    steps.push(match[1] ?? match[2] ?? '');
  }
  return steps.length === 0 ? undefined : steps;
}

export function formatJsonPath(path: JsonPath): string {
  return path.reduce((text, step) => (step === ITEMS || text === '' ? `${text}${step}` : `${text}.${step}`), '');
}

/** A value that a path leads to. */
export interface Located {
  readonly value: unknown;
  /** The object that has the value in the field `name`; undefined for the item of an array. */
  readonly record: FeedRecord | undefined;
  readonly name: string;
  /** The objects further out that the path leads through. */
  readonly around: readonly FeedRecord[];
}

/** The values at a path, those of an array at its end one by one; undefined if the document has no such path. */
export function valuesAt(document: unknown, path: JsonPath): readonly Located[] | undefined {
  let found: readonly Located[] = [{ value: document, record: undefined, name: '', around: [] }];
  for (const step of path) {
    const isThere = found.some(({ value }) => hasStep(value, step));
    if (!isThere && found.length > 0) return undefined;
    found = found.flatMap((one) => (hasStep(one.value, step) ? stepInto(one, step) : []));
  }
  return found.flatMap((one) => (Array.isArray(one.value) ? stepInto(one, ITEMS) : [one]));
}

function hasStep(value: unknown, step: string): boolean {
  if (step === ITEMS) return Array.isArray(value);
  return isRecord(value) && (step === ANY || Object.hasOwn(value, step));
}

function stepInto({ value, record, around: outer }: Located, step: string): Located[] {
  const around = record === undefined ? outer : [...outer, record];
  if (Array.isArray(value)) return value.map((item) => ({ value: item, record: undefined, name: '', around }));
  const of = value as FeedRecord; // `hasStep` allows no other
  const names = step === ANY ? Object.keys(of) : [step];
  const exempt = step === ANY ? names.find((name) => meaningOf(name, of[name], '') === 'exempt') : undefined;
  if (exempt !== undefined)
    throw new InvalidLineError(`has ${printable(exempt)} among what * stands for, which is exempt: name the others`);
  return names.map((name) => ({ value: of[name], record: of, name, around }));
}
