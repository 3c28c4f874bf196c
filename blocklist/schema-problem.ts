import type * as z from 'zod/mini';
import { LIST_NAME, REASON } from '../contract/check.ts';
import { printable } from '../contract/printable.ts';
import { CURSOR } from '../contract/updates.ts';

/** Descriptions of patterns, by pattern. */
const FORMS = new Map([
  [String(LIST_NAME), 'must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit'],
  [String(REASON), 'must be one line of at most 200 printable characters'],
  [String(CURSOR), 'must be 1 to 128 of A-Z a-z 0-9 . _ -'],
]);

/** One line about the first problem of an input: the field, and what would be right. */
export function firstProblem(error: z.core.$ZodError, input: unknown): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'is wrong';
  const value = issue.path.reduce(fieldOf, input);
  const field = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${printable(String(part))}`))
    .join('');
  const problem = value === undefined ? 'is missing' : wrong(issue, value);
  return `${field.replace(/^\./, '') || 'it'} ${problem}`;
}

function wrong(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${named(issue.expected)}, not ${typeof value === 'number' ? value : named(typeOf(value))}`;
    case 'invalid_value':
      return `${quoted(value)} is none of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return FORMS.get(String(issue.pattern)) ?? `must match ${issue.pattern}`;
    case 'too_small':
      return `must ${sized(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must ${sized(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}`;
    default:
      return 'is not allowed';
  }
}

function fieldOf(value: unknown, part: PropertyKey): unknown {
  return (value as Record<PropertyKey, unknown> | null | undefined)?.[part]; // the path comes from a walk over this value
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function named(type: string): string {
  if (type === 'int') return 'a whole number';
  if (type === 'null') return 'null';
  if (type === 'record') return 'a map';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function sized(origin: string): string {
  return origin === 'array' || origin === 'string' ? 'have' : 'be';
}

function unit(origin: string): string {
  if (origin === 'array') return ' of them';
  return origin === 'string' ? ' characters' : '';
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${printable(value)}"` : printable(String(JSON.stringify(value)));
}
