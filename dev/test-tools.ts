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

if (import.meta.main) {
  const tools: readonly (readonly [what: string, fetch: () => void])[] = [
    ['newer HAProxys', fetchHaproxies],
    ['promtool', fetchPromtool],
    ['nginx', () => fetchUnpacked(NGINX)],
    ['Apache', () => fetchUnpacked(APACHE)],
    ['Dynoxide', fetchDynoxide],
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
