// Sets up what a checkout needs, on any Node from 20 and with no package installed yet: hence plain JavaScript.
// A second run finds everything in place and needs no network.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.haverdict-setup');
const MIN_NODE_MAJOR = 20;

function fail(message) {
  console.error(`haverdict setup: ${message}`);
  process.exit(1);
}

function run(command, args, extraEnv = {}) {
  console.error(`haverdict setup: ${[command, ...args].join(' ')}`);
  return (
    spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2], env: { ...process.env, ...extraEnv } }).status === 0
  );
}

function setUpPackages() {
  const stamp = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  if (!run('npm', ['ci', '--no-audit', '--no-fund'])) {
    fail(
      'npm ci failed (see above); the first run needs the npm registry. Run the same command again when it is reachable',
    );
  }
  const node = spawnSync(join(modules, '.bin', 'node'), ['--version'], { encoding: 'utf8' });
  if (node.status !== 0 || Number(node.stdout.slice(1).split('.')[0]) < 24) {
    fail(
      'the package "node" brought no Node 24: its install script must be allowed to run (npm rebuild node --foreground-scripts shows why it did not)',
    );
  }
  writeFileSync(stampFile, stamp);
}

function findsHaproxy() {
  // A normal user's PATH often lacks sbin, where Debian puts it.
  const path = [process.env.PATH, '/usr/local/sbin', '/usr/sbin'].join(delimiter);
  return spawnSync('haproxy', ['-v'], { stdio: 'ignore', env: { ...process.env, PATH: path } }).status === 0;
}

function setUpHaproxy() {
  if (findsHaproxy()) return;
  const byHand =
    'install HAProxy 2.4 or later by hand (Debian, Ubuntu: sudo apt-get update && sudo apt-get install haproxy), then run the same command again';
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0)
    fail(`haproxy is missing and there is no apt-get here: ${byHand}`);
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo'];
  if (asRoot.length > 0 && spawnSync('sudo', ['--version'], { stdio: 'ignore' }).status !== 0)
    fail(`haproxy is missing, and this is neither root nor is there sudo: ${byHand}`);
  const apt = (...args) => {
    const [command, ...rest] = [
      ...asRoot,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-qq',
      '-o',
      'DPkg::Lock::Timeout=120',
      ...args,
    ];
    return run(command, rest);
  };
  // An outdated package list is not yet a failure: the install tells.
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', 'haproxy') || !findsHaproxy())
    fail(`haproxy could not be installed (see above): ${byHand}`);
}

if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
  fail(
    `this is Node ${process.versions.node}; ${MIN_NODE_MAJOR} or later is needed to begin (the project then brings its own)`,
  );
}
setUpPackages();
if (process.argv.includes('--haproxy')) setUpHaproxy();
