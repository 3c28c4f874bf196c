import { printable } from '../../contract/printable.ts';
import { SubjectError } from '../../contract/subject.ts';
import { foldedName, isNothing } from './extra-field-meaning.ts';
import type { ExtraFields } from './extra-fields.ts';
import type { FeedRecord } from './feed-line.ts';
import { InvalidLineError, subjectOf } from './invalid-line.ts';

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

/** Parses the canonical subject of a record. Several fields that can contain it must agree. */
export function subjectIn(record: FeedRecord, kind: string, fields: ExtraFields): string {
  const [first, ...others] = SUBJECT_FIELDS.filter((name) => isGiven(record[name]));
  const value = first === undefined ? undefined : record[first];
  if (first === undefined) throw new InvalidLineError(`has none of ${SUBJECT_FIELDS.join(', ')}`);
  if (typeof value !== 'string') throw new InvalidLineError(`${first} is not text`);
  const read = (text: string, field: string) => subjectOf(text, kindOf(record.scope, field, kind));
  const given = Object.entries(record).filter(([name, one]) => name !== first && isLength(name) && !isNothing(one));
  const lengths = given.filter(([name, one]) => name !== 'cidr' || lengthOf(one) !== undefined);
  for (const [name] of lengths) fields.noteLength(name);
  const subject = read(lengths.length === 0 ? value : withLengths(value.trim(), lengths), first);
  if (lengths.length > 0 && !subject.startsWith('ip:'))
    throw new InvalidLineError(`${printable(lengths[0]?.[0] ?? '')} only applies to addresses`);
  for (const name of others) {
    const other = record[name];
    if (isNothing(other) || lengths.some(([field]) => field === name)) continue;
    if (typeof other !== 'string' || !isSame(() => read(other, name), subject))
      throw new InvalidLineError(`${first} and ${name} differ: ignore one of them with --ignore ${name}`);
  }
  return subject;
}

/** Whether the value is the same subject; false for an invalid one. */
function isSame(read: () => string, subject: string): boolean {
  try {
    return read() === subject;
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
