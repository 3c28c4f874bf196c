import { rmSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import { linesFor } from '../../haproxy/generate/marks.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { interruption } from '../exit/interrupt.ts';
import { haproxyFilesAt } from '../options/haproxy-files.ts';
import { plural } from '../output/plural.ts';
import { backUp, takeOver, writeBeside } from './file-on-disk.ts';
import { checkedByHaproxy } from './haproxy-check.ts';
import { lineDiff } from './line-diff.ts';
import { type Replacement, replacementsIn, withSpoePaths } from './replacement.ts';

export interface IntoOptions {
  /** The files of HAProxy, in the order of its -f; a folder means its *.cfg. */
  readonly into: readonly string[];
  /** Replaces, and does not only show what would be replaced. */
  readonly write: boolean;
  /** Also parts that were edited by hand. */
  readonly force: boolean;
  /** The frontends that get marks where they have none. */
  readonly frontends?: readonly string[] | undefined;
  readonly haproxyProgram: string;
}

/** Replaces what stands between the marks in HAProxy's files; returns the lines to print. */
export async function replaceInto(
  settings: Settings,
  { into, write, force, frontends = [], haproxyProgram }: IntoOptions,
): Promise<string[]> {
  const all = replacementsIn(into.flatMap(haproxyFilesAt), settings, { force, frontends });
  const changed = all.filter(({ before, after }) => before !== after);
  const diff = changed.flatMap(diffOf);
  if (changed.length === 0) return ['all parts are up to date'];
  if (!write) return [...diff, '', `${plural(changed.length, 'file')} would change: --write replaces the parts`];
  // a signal ends the check; it cannot come between two files, which are replaced in one turn
  const { signal, dispose } = interruption(['SIGINT', 'SIGTERM', 'SIGHUP']);
  try {
    const said = await check(all, settings, haproxyProgram, signal);
    return [...diff, '', ...(said === '' ? [] : said.split('\n')), ...replace(changed), 'reload HAProxy to use it'];
  } finally {
    dispose();
  }
}

/** HAProxy looks at copies beside the files, so that whatever is relative to them stays so. */
async function check(
  all: readonly Replacement[],
  settings: Settings,
  program: string,
  signal: AbortSignal,
): Promise<string> {
  const copies = new Map<string, string>();
  const named = (text: string) => [...copies].reduce((said, [path, copy]) => said.replaceAll(copy, path), text);
  try {
    for (const { file, isSpoe, after } of all) if (isSpoe) copies.set(file.path, beside({ file, text: after }));
    const own = all.filter(({ isSpoe }) => !isSpoe);
    const files = own.map((replacement) => {
      const { file } = replacement;
      const text = withSpoePaths(replacement, settings, ({ spoeFile, spoePath }) => copies.get(spoeFile) ?? spoePath);
      const copy = beside({ file, text });
      copies.set(file.path, copy);
      return copy;
    });
    return named(await checkedByHaproxy(program, files, signal));
  } catch (error) {
    throw error instanceof CliError ? new CliError(error.exitCode, named(error.message), { cause: error }) : error;
  } finally {
    for (const copy of copies.values()) rmSync(copy, { force: true });
  }
}

/** All of them or none: what was replaced before another could not be is put back. */
function replace(changed: readonly Replacement[]): string[] {
  const now = new Date();
  const done: Replacement[] = [];
  const copies: string[] = [];
  const backups: string[] = [];
  try {
    for (const { file } of changed) backups.push(backUp(file, now));
    for (const { file, after } of changed) copies.push(beside({ file, text: after }));
    for (const [at, replacement] of changed.entries()) {
      takeOver(replacement.file, copies[at] ?? '');
      done.push(replacement);
    }
    return changed.map(({ file }, at) => `replaced the parts in ${file.path}, backup ${backups[at]}`);
  } catch (error) {
    for (const copy of copies) rmSync(copy, { force: true });
    for (const { file, before, after } of done)
      takeOver({ ...file, bytes: Buffer.from(after, file.encoding) }, beside({ file, text: before }));
    for (const backup of backups) rmSync(backup, { force: true });
    throw new CliError(EXIT.failed, `nothing was replaced: ${String(error)}`, { cause: error });
  }
}

function beside({ file, text }: Pick<Replacement, 'file'> & { readonly text: string }): string {
  try {
    return writeBeside(file, text);
  } catch (error) {
    throw new CliError(EXIT.failed, `nothing was replaced: ${file.path} cannot be written: ${String(error)}`, {
      cause: error,
    });
  }
}

function diffOf({ file, parts, marked }: Replacement): string[] {
  const lineAt = marked.split(/\r?\n/);
  const changes = parts.flatMap(({ found, isNew, part }) => {
    const end = lineAt[found.to] ?? '';
    const before = isNew ? [] : [found.begin, ...found.lines, end];
    const lines = lineDiff(before, [...linesFor(part, found.begin), end]);
    return lines.every((line) => line[0] === ' ')
      ? []
      : [`@@ ${found.name}, line ${found.from + 1} @@`, ...lines.map((line) => line.replaceAll('\t', '    '))];
  });
  return [`--- ${file.path}`, `+++ ${file.path}`, ...changes];
}
