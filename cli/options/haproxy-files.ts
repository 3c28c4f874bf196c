import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** The files of a folder as HAProxy's -f reads them: `.cfg` files that are not hidden, in byte order. */
export function haproxyFilesAt(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
  const files = names.sort().map((name) => join(path, name));
  const read = files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? true);
  if (read.length === 0) throw new CliError(EXIT.failed, `${path} has no .cfg file, which is what HAProxy reads there`);
  return read;
}
