import { isDeepStrictEqual } from 'node:util';
import { printable } from '../../contract/printable.ts';
import { SubjectError } from '../../contract/subject.ts';
import { foldedName, isNothing } from './extra-field-meaning.ts';
import type { ExtraFields } from './extra-fields.ts';
import type { FeedRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { subjectsOf } from './subjects.ts';

export interface RecordOptions {
  /** The kind of bare values. */
  readonly kind: string;
  readonly nowMs: number;
  readonly fields: ExtraFields;
  /** The field with the subject, if it is not one of ours. */
  readonly subjectField?: string | undefined;
}

/** The fields that can contain the subject, in order of precedence. */
export const SUBJECT_FIELDS = ['subject', 'value', 'ip', 'cidr', 'address'] as const;

/** Folded names of fields with a prefix length or mask; a `cidr` without an address is the subject. */
const LENGTHS =
  /^((net|sub|subnet|network|cidr|ip)?(mask|masklen|masklength|masklen|maskbits)|subnet|(ip|net|network|cidr)?(prefix|prefixlen|prefixlength)|cidr|cidrlen|cidrlength|bits)$/;

/** The kinds by CrowdSec scope. */
const SCOPES = new Map([
  ['ip', 'ip'],
  ['range', 'ip'],
  ['country', 'country'],
  ['as', 'asn'],
]);

/** Whether fields of this name are prefix lengths or masks. */
export function isLength(name: string): boolean {
  return LENGTHS.test(foldedName(name));
}

/** Parses the canonical subjects of a record, several for a range. Several fields that can contain them must agree. */
export function subjectsIn(record: FeedRecord, { kind, fields, subjectField }: RecordOptions): readonly string[] {
  const [first, ...others] = subjectField === undefined ? subjectFieldsIn(record) : [subjectField];
  if (first === undefined) throw new InvalidLineError(`has none of ${SUBJECT_FIELDS.join(', ')}`);
  const value = textOf(record[first]);
  if (value === undefined) throw new InvalidLineError(`${printable(first)} is not text`);
  const read = (text: string, field: string) =>
    subjectsOf(text, field === subjectField ? kind : kindOf(record.scope, field, kind));
  const given = Object.entries(record).filter(([name, one]) => name !== first && isLength(name) && !isNothing(one));
  const lengths = given.filter(([name, one]) => name !== 'cidr' || lengthOf(one) !== undefined);
  for (const [name] of lengths) fields.noteLength(name);
  const subjects = read(lengths.length === 0 ? value : withLengths(value.trim(), lengths), first);
  if (lengths.length > 0 && !subjects[0]?.startsWith('ip:'))
    throw new InvalidLineError(`${printable(lengths[0]?.[0] ?? '')} only applies to addresses`);
  for (const name of others) {
    const other = record[name];
    if (isNothing(other) || lengths.some(([field]) => field === name)) continue;
    if (typeof other !== 'string' || !isSame(() => read(other, name), subjects))
      throw new InvalidLineError(`${first} and ${name} differ: ignore one of them with --ignore ${name}`);
  }
  return subjects;
}

export function subjectFieldsIn(record: FeedRecord): readonly string[] {
  return SUBJECT_FIELDS.filter((name) => isGiven(record[name]));
}

/** A number of an autonomous system may be a number. */
function textOf(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' ? value : undefined;
}

/** Whether the value stands for the same subjects; false for an invalid one. */
function isSame(read: () => readonly string[], subjects: readonly string[]): boolean {
  try {
    return isDeepStrictEqual(read(), subjects);
  } catch (error) {
    if (error instanceof SubjectError || error instanceof InvalidLineError) return false;
    throw error;
  }
}

function kindOf(scope: unknown, field: string, kind: string): string {
  if (isGiven(scope)) return kindOfScope(scope);
  return field === 'subject' || field === 'value' ? kind : 'ip';
}

function kindOfScope(scope: unknown): string {
  const kind = typeof scope === 'string' ? SCOPES.get(scope.toLowerCase()) : undefined;
  if (kind === undefined)
    throw new InvalidLineError(`scope ${quoted(scope)} is none of ${[...SCOPES.keys()].join(', ')}`);
  return kind;
}

/** Adds the prefix length from other fields to an address. */
function withLengths(value: string, lengths: readonly (readonly [name: string, length: unknown])[]): string {
  let text = value;
  for (const [name, given] of lengths) {
    const length = lengthOf(given);
    if (length === undefined)
      throw new InvalidLineError(`${printable(name)} ${quoted(given)} is not a valid prefix length`);
    const [address = '', own] = text.split('/');
    if (own !== undefined && own !== String(length))
      throw new InvalidLineError(`"${printable(text)}" and ${printable(name)} ${quoted(given)} differ`);
    text = `${address}/${length}`;
  }
  return text;
}

/** Parses a prefix length: a number, digits with or without a slash, or a mask like 255.255.255.0. */
function lengthOf(value: unknown): number | undefined {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
  if (/^\/?\d{1,3}$/.test(text)) return Number(text.replace('/', ''));
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const bits = text
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  return /^1+0*$/.test(bits) && bits.length === 32 ? bits.replaceAll('0', '').length : undefined;
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function quoted(value: unknown): string {
  return typeof value === 'object' ? 'with more in it' : `"${printable(String(value))}"`;
}
