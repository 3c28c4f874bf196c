import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a folder as HAProxy's -f reads them: `.cfg` files that are not hidden, in byte order. */
export function haproxyFilesAt(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
  return names.sort().map((name) => join(path, name));
}
