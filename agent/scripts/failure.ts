import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Failure } from './messages.ts';

const MAX_PROBLEM_CHARACTERS = 500;
const CHECK_LIMIT_MS = 5_000;

/** The same for a module that could not be loaded; a syntax error is in the URL that was read last. */
export function loadFailure(error: unknown, lastRead: string | undefined): Failure {
  const failure = failureOf(error);
  if (failure.place !== undefined || !(error instanceof SyntaxError) || lastRead === undefined) return failure;
  return { ...failure, place: placeOfSyntaxError(lastRead) };
}

/** Whatever was thrown, as one line and a place. */
export function failureOf(error: unknown): Failure {
  const place = placeOf(error);
  return { problem: describe(error), ...(place === undefined ? {} : { place }) };
}

function describe(error: unknown): string {
  try {
    return oneLine(error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`);
  } catch {
    return 'threw what has no text';
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, MAX_PROBLEM_CHARACTERS);
}

/** `/etc/haverdict/rules.mjs:12:7`: where in the operator's own files an error was made; undefined if its stack names none. */
function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : '';
  for (const [, url = '', position = ''] of stack.matchAll(/(file:\/\/[^\s()]+?)((?::\d+){1,2})\)?$/gm))
    if (!url.includes('/node_modules/') && !url.startsWith(OWN)) return `${pathOf(url)}${position}`;
  return undefined;
}

/** Where the syntax error in this file is: the error itself does not say it, `node --check` does. */
function placeOfSyntaxError(url: string): string {
  const file = pathOf(url);
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: CHECK_LIMIT_MS });
  const [, line] = /^.*:(\d+)$/m.exec(stderr ?? '') ?? [];
  return line === undefined ? file : `${file}:${line}`;
}

/** The folder of this file: the calls that lead into the operator's module come from here. */
const OWN = new URL('.', import.meta.url).href;

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
