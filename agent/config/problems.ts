import type { z } from 'zod';
import { nearest } from './nearest.ts';

/** What one zod issue comes to: the messages of schema.ts say what would be right, this adds what was found. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  /** The part of the file that is wrong there. */
  readonly part: 'key' | 'value';
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Tells each thing once, at the deepest place that is known. */
export function findingsFrom(issues: readonly Issue[], input: unknown): Finding[] {
  const found = new Map<string, Finding>();
  for (const issue of issues)
    for (const finding of findingsOf(issue, input)) {
      const place = `${finding.part} ${formatPath(finding.path)}`;
      if (!found.has(place)) found.set(place, finding);
    }
  return [...found.values()];
}

/** `listen[1].unix`, `cache.maxEntries`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function findingsOf(issue: Issue, input: unknown): Finding[] {
  const { path } = issue;
  const value = valueAt(input, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], part: 'key', message: unknownKey(key, issue.message) }));
    case 'invalid_key': {
      const mustBe = issue.issues[0]?.message ?? issue.message;
      return [{ path, part: 'key', message: `must be ${mustBe}, got ${shown(path.at(-1))}` }];
    }
    case 'invalid_union': {
      // the last choice of each of our unions is the map, and what is wrong inside of it is told there
      const inside = typeof value === 'object' && value !== null && !Array.isArray(value) ? issue.errors.at(-1) : [];
      if (inside !== undefined && inside.length > 0)
        return inside.flatMap((nested) => findingsOf({ ...nested, path: [...path, ...nested.path] }, input));
      return [{ path, part: 'value', message: wrongValue(issue.message, value) }];
    }
    default:
      return [{ path, part: 'value', message: wrongValue(issue.message, value) }];
  }
}

function unknownKey(key: string, knownKeys: string): string {
  const meant = nearest(key, knownKeys.split(', '));
  return `no such setting, ${meant === undefined ? `known here: ${knownKeys}` : `did you mean ${meant}?`}`;
}

function wrongValue(mustBe: string, value: unknown): string {
  return value === undefined ? `must be set: ${mustBe}` : `must be ${mustBe}, got ${shown(value)}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  // a path from zod exists in the input as far as it goes
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}

function shown(value: unknown): string {
  if (value === null) return 'nothing';
  const json = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}
