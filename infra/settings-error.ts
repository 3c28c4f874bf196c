import type { z } from 'zod';

/**
 * Invalid settings; the message has one line for each.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { App, Stack } from 'aws-cdk-lib';
 * import { HaverdictBackend, SettingsError } from 'haverdict/infra';
 *
 * const stack = new Stack(new App(), 'Edge');
 * assert.throws(() => new HaverdictBackend(stack, 'Haverdict', { agents: 0 }), SettingsError);
 * ```
 */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** Parses settings from `where`. The messages of the schema complete "SETTING must be …". */
export function checked<Schema extends z.ZodObject>(schema: Schema, input: object, where: string): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, input, Object.keys(schema.shape)));
  throw new SettingsError(problems.map((problem) => `${where}: ${problem}`).join('\n'));
}

function problemsOf(issue: z.core.$ZodIssue, input: object, known: readonly string[]): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `unknown setting ${key}: use ${known.join(', ')}`);
  const name = String(issue.path[0]);
  const value = Object.entries(input).find(([key]) => key === name)?.[1];
  return [`${name} must be ${issue.message}${isPrintable(value) ? `, not ${JSON.stringify(value)}` : ''}`];
}

/** Objects of the CDK refer to each other in circles. */
function isPrintable(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
