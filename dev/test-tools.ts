/** Tools that only `npm run test:all` and CI use; fetched into the checkout, not installed. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CACHE, fetchUnpacked, type Unpacked, withUnpacked } from './debian-packages.ts';
import { fetchHaproxies } from './haproxy-versions.ts';
import { runCommand } from './run-command.ts';

const DYNOXIDE_PACKAGE = `@dynoxide/linux-${process.arch}`;
const DYNOXIDE_VERSION = '1.2.1';

/** Checks Prometheus rules and metrics. */
export const PROMTOOL = join(CACHE, 'promtool', 'promtool');
/** Servers behind HAProxy; not installed, because they would start. */
export const NGINX: Unpacked = { folder: 'nginx', packages: ['nginx'], libraries: /^libpcre/ };
export const APACHE: Unpacked = {
  folder: 'apache',
  packages: ['apache2-bin'],
  libraries: /^lib(apr|aprutil)1(t64)?$|^libexpat1$/,
};
/** A second implementation of DynamoDB's protocol. */
export const DYNOXIDE = join(CACHE, 'dynoxide', 'node_modules', DYNOXIDE_PACKAGE, 'dynoxide');

/** The compilers that the types of our packages are for, beside that of this checkout, and the oldest types of Node. */
const COMPILERS = {
  'typescript-5.4': 'typescript@5.4.5',
  'typescript-5.9': 'typescript@5.9.3',
  'typescript-6.0': 'typescript@6.0.3',
  'types-node-18': '@types/node@18.19.130',
};
const COMPILER_FOLDER = join(CACHE, 'compilers');

/** The folder of one of them, by its name above. */
export function compilerPackage(name: string): string {
  return join(COMPILER_FOLDER, 'node_modules', name);
}

export const OTHER_COMPILERS = Object.keys(COMPILERS).filter((name) => name.startsWith('typescript-'));

if (import.meta.main) {
  const tools: readonly (readonly [what: string, fetch: () => void])[] = [
    ['newer HAProxys', fetchHaproxies],
    ['promtool', fetchPromtool],
    ['nginx', () => fetchUnpacked(NGINX)],
    ['Apache', () => fetchUnpacked(APACHE)],
    ['Dynoxide', fetchDynoxide],
    ['TypeScript', fetchCompilers],
  ];
  for (const [what, fetch] of tools) {
    try {
      fetch();
    } catch (error) {
      const { message, cause } = error as Error; // only errors are thrown here
      const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
      console.error(`haverdict tests: ${what}: ${why}; run the same command again when the packages can be reached`);
      process.exitCode = 1;
    }
  }
}

/** Unpacks promtool from Debian's package `prometheus`; installing it would start a server. */
function fetchPromtool(): void {
  if (existsSync(PROMTOOL)) return;
  withUnpacked(['prometheus'], (root) => {
    mkdirSync(dirname(PROMTOOL), { recursive: true });
    renameSync(join(root, 'usr/bin/promtool'), PROMTOOL);
  });
}

function fetchDynoxide(): void {
  if (existsSync(DYNOXIDE)) return;
  const options = ['--no-save', '--no-package-lock', '--loglevel=error', '--prefix', join(CACHE, 'dynoxide')];
  runCommand('npm', ['install', ...options, `${DYNOXIDE_PACKAGE}@${DYNOXIDE_VERSION}`]);
}

function fetchCompilers(): void {
  const missing = Object.entries(COMPILERS).filter(([name]) => !existsSync(compilerPackage(name)));
  if (missing.length === 0) return;
  const options = ['--no-save', '--no-package-lock', '--loglevel=error', '--prefix', COMPILER_FOLDER];
  runCommand('npm', ['install', ...options, ...Object.entries(COMPILERS).map(([name, from]) => `${name}@npm:${from}`)]);
}
