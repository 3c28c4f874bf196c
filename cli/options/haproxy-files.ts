import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** As HAProxy takes a folder after -f: its .cfg files that are not hidden, by their bytes. */
export function haproxyFilesAt(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
  return names.sort().map((name) => join(path, name));
}
