/** What only `npm run test:all` and CI use, fetched beside the checkout's sources; nothing of it is installed. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchHaproxies } from './haproxy-versions.ts';
import { run } from './run.ts';

const CACHE = join(import.meta.dirname, '..', '.cache');
const DYNOXIDE_PACKAGE = `@dynoxide/linux-${process.arch}`;
const DYNOXIDE_VERSION = '1.2.1';

/** Checks Prometheus's rules and metrics. */
export const PROMTOOL = join(CACHE, 'promtool', 'promtool');
/** A second engine that speaks DynamoDB's protocol. */
export const DYNOXIDE = join(CACHE, 'dynoxide', 'node_modules', DYNOXIDE_PACKAGE, 'dynoxide');

if (import.meta.main) {
  const tools: readonly (readonly [what: string, fetch: () => void])[] = [
    ['newer HAProxys', fetchHaproxies],
    ['promtool', fetchPromtool],
    ['Dynoxide', fetchDynoxide],
  ];
  for (const [what, fetch] of tools) {
    try {
      fetch();
    } catch (error) {
      const { message, cause } = error as Error; // all of ours are errors
      const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
      console.error(`haverdict tests: ${what}: ${why}; run the same command again when the packages can be reached`);
      process.exitCode = 1;
    }
  }
}

/** Of Debian's package `prometheus`, which installed would start a server. */
function fetchPromtool(): void {
  if (existsSync(PROMTOOL)) return;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, '.fetching-'));
  try {
    run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', 'prometheus'], folder);
    const [archive = ''] = readdirSync(folder);
    run('dpkg-deb', ['-x', archive, 'root'], folder);
    mkdirSync(join(CACHE, 'promtool'), { recursive: true });
    renameSync(join(folder, 'root/usr/bin/promtool'), PROMTOOL);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fetchDynoxide(): void {
  if (existsSync(DYNOXIDE)) return;
  const options = ['--no-save', '--no-package-lock', '--loglevel=error', '--prefix', join(CACHE, 'dynoxide')];
  run('npm', ['install', ...options, `${DYNOXIDE_PACKAGE}@${DYNOXIDE_VERSION}`]);
}
