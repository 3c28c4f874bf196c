import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.ts';

export const CACHE = join(import.meta.dirname, '..', '.cache');

/** A program from Debian packages that are unpacked into `.cache/FOLDER`, not installed. */
export interface Unpacked {
  readonly folder: string;
  readonly packages: readonly string[];
  /** Matches the dependencies that are unpacked as well. */
  readonly libraries: RegExp;
}

/** The path of a file of the packages. */
export function unpackedPath({ folder }: Unpacked, path: string): string {
  return join(CACHE, folder, path);
}

/** The environment in which a program of the packages finds their libraries. */
export function unpackedEnvironment({ folder }: Unpacked): NodeJS.ProcessEnv {
  const folders = globSync('{usr/lib,lib}/*-linux-gnu*', { cwd: join(CACHE, folder) });
  return { ...process.env, LD_LIBRARY_PATH: folders.map((name) => join(CACHE, folder, name)).join(delimiter) };
}

/** Fetches the packages unless they are already unpacked. */
export function fetchUnpacked({ folder, packages, libraries }: Unpacked): void {
  const target = join(CACHE, folder);
  if (existsSync(target)) return;
  withUnpacked([...packages, ...librariesOf(packages, libraries)], (root) => renameSync(root, target));
}

/** Fetches packages of this system's release with apt, which verifies them, and calls `use` with the unpacked folder. */
export function withUnpacked(packages: readonly string[], use: (root: string) => void): void {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, '.fetching-'));
  try {
    runCommand('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...packages], folder);
    const archives = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    for (const archive of archives) runCommand('dpkg-deb', ['-x', archive, 'root'], folder);
    use(join(folder, 'root'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function librariesOf(packages: readonly string[], libraries: RegExp): string[] {
  const found = new Set<string>();
  const waiting = [...packages];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const depends = runCommand('apt-cache', ['depends', '--important', name]);
    for (const [, library = ''] of depends.matchAll(/^ +Depends: (\S+)$/gm)) {
      if (!libraries.test(library) || found.has(library)) continue;
      found.add(library);
      waiting.push(library);
    }
  }
  return [...found];
}
