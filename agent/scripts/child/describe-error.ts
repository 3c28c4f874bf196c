import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Failure } from '../ipc.ts';

const MAX_PROBLEM_CHARACTERS = 500;
const CHECK_LIMIT_MS = 5_000;

/** Describes why a script could not be loaded; a syntax error is in `lastRead`, the URL that was read last. */
export function describeLoadError(error: unknown, lastRead: string | undefined): Failure {
  const failure = describeError(error);
  if (failure.place !== undefined || !(error instanceof SyntaxError) || lastRead === undefined) return failure;
  return { ...failure, place: placeOfSyntaxError(lastRead) };
}

/** Describes a thrown value in one line, with its place in the operator's files. */
export function describeError(error: unknown): Failure {
  const place = placeOf(error);
  return { problem: textOf(error), ...(place === undefined ? {} : { place }) };
}

function textOf(error: unknown): string {
  try {
    return oneLine(error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`);
  } catch {
    return 'threw a value that cannot be converted to a string';
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, MAX_PROBLEM_CHARACTERS);
}

/** `/etc/haverdict/script.mjs:12:7`: the innermost stack frame in the operator's own files; undefined if there is none. */
function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : '';
  for (const [, url = '', position = ''] of stack.matchAll(/(file:\/\/[^\s()]+?)((?::\d+){1,2})\)?$/gm))
    if (!url.includes('/node_modules/') && !url.startsWith(OWN_FOLDER)) return `${pathOf(url)}${position}`;
  return undefined;
}

/** The place of a syntax error in this file: the error itself does not have it, `node --check` prints it. */
function placeOfSyntaxError(url: string): string {
  const file = pathOf(url);
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: CHECK_LIMIT_MS });
  const [, line] = /^.*:(\d+)$/m.exec(stderr ?? '') ?? [];
  return line === undefined ? file : `${file}:${line}`;
}

/** The functions of the script are called from files in this folder. */
const OWN_FOLDER = new URL('.', import.meta.url).href;

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
