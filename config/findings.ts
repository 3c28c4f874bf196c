import type { z } from 'zod';
import { knownSettings } from './catalogue.ts';
import { didYouMean, editDistance } from './did-you-mean.ts';
import { renamedPath } from './renamed-settings.ts';
import { suggestedValue } from './suggested-value.ts';

/** One error in the settings: what would be right, from the schema, and what was found. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  /** Whether the key or its value is wrong. */
  readonly part: 'key' | 'value';
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** What a key that is unknown where it stands could mean elsewhere in the file. */
export interface Hints {
  /** Its path after it was renamed. */
  renamed(path: readonly PropertyKey[]): readonly PropertyKey[] | undefined;
  /** All settings of the file. */
  readonly paths: readonly (readonly string[])[];
}

function agentHints(): Hints {
  return { renamed: renamedPath, paths: knownSettings().map(({ path }) => path) };
}

interface IssueFinding extends Finding {
  /** The setting is missing. */
  readonly isMissing?: boolean;
  /** The known setting that an unknown key most likely means. */
  readonly meant?: readonly PropertyKey[];
}

/** Reports each error once, at the innermost known place. */
export function toFindings(issues: readonly Issue[], input: unknown, hints = agentHints()): Finding[] {
  const found = new Map<string, IssueFinding>();
  for (const issue of issues)
    for (const finding of findingsOf(issue, input, hints)) {
      const place = `${finding.part} ${formatPath(finding.path)}`;
      if (!found.has(place)) found.set(place, finding);
    }
  const all = [...found.values()];
  // a setting that is missing because of a typo in its name is reported as the typo
  const meant = new Set(all.flatMap(({ meant }) => (meant === undefined ? [] : [formatPath(meant)])));
  return all
    .filter(({ isMissing, path }) => !isMissing || !meant.has(formatPath(path)))
    .map(({ path, part, message }) => ({ path, part, message }));
}

/** `listen[1].unix`, `cache.maxEntries`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function findingsOf(issue: Issue, input: unknown, hints: Hints): IssueFinding[] {
  const { path } = issue;
  const value = valueAt(input, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, issue.message, hints));
    case 'invalid_key': {
      const mustBe = issue.issues[0]?.message ?? issue.message;
      return [{ path, part: 'key', message: `must be ${mustBe}, got ${display(path.at(-1))}` }];
    }
    case 'invalid_union': {
      // the last option of each of our unions is the map, whose own errors are more precise
      const inside = typeof value === 'object' && value !== null && !Array.isArray(value) ? issue.errors.at(-1) : [];
      if (inside !== undefined && inside.length > 0)
        return inside.flatMap((nested) => findingsOf({ ...nested, path: [...path, ...nested.path] }, input, hints));
      return [wrongValue(path, issue.message, value)];
    }
    default:
      return [wrongValue(path, issue.message, value)];
  }
}

function unknownKey(key: string, path: readonly PropertyKey[], knownKeys: string, hints: Hints): IssueFinding {
  const at = { path: [...path, key], part: 'key' } as const;
  const renamed = hints.renamed(at.path);
  if (renamed !== undefined) return { ...at, message: `renamed to ${formatPath(renamed)}`, meant: renamed };
  const finding = (hint: string, meant?: readonly PropertyKey[]): IssueFinding => ({
    ...at,
    message: `unknown setting, ${hint}`,
    ...(meant && { meant }),
  });
  const near = didYouMean(key, knownKeys.split(', '));
  if (near !== undefined) return finding(`did you mean ${near}?`, [...path, near]);
  const elsewhere = hints.paths.find((known) => isNamed(known.at(-1) ?? '', key));
  if (elsewhere === undefined) return finding(`expected one of: ${knownKeys}`);
  return finding(`did you mean ${elsewhere.join('.')}?`, elsewhere);
}

/** In another section only an almost identical word is worth a guess. */
function isNamed(known: string, key: string): boolean {
  return key.length >= 3 && editDistance(key.toLowerCase(), known.toLowerCase()) <= 1;
}

function wrongValue(path: readonly PropertyKey[], mustBe: string, value: unknown): IssueFinding {
  if (value === undefined) return { path, part: 'value', message: `must be set: ${mustBe}`, isMissing: true };
  const key = path.findLast((part) => typeof part === 'string');
  const meant = suggestedValue(String(key ?? ''), mustBe, value);
  const hint = meant === undefined ? '' : `: write ${meant}`;
  return { path, part: 'value', message: `must be ${mustBe}, got ${display(value)}${hint}` };
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  // zod's paths exist in the input
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}

function display(value: unknown): string {
  if (value === null) return 'nothing';
  const json = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}
