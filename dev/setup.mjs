// Sets up a checkout. Plain JavaScript, as it runs on any Node from 20 and before any package is installed.
// A second run needs no network.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.haverdict-setup');
const MIN_NODE_MAJOR = 20;

/** Required programs by purpose, each with its Debian and Ubuntu package. */
const PROGRAMS = {
  '--haproxy': { haproxy: 'haproxy' },
  '--tests': {
    haproxy: 'haproxy',
    openssl: 'openssl',
    man: 'man-db',
    'systemd-analyze': 'systemd',
    python3: 'python3',
  },
  '--newer': {
    chromium: 'chromium',
    curl: 'curl',
    strip: 'binutils',
    userdel: 'passwd',
    ip: 'iproute2',
    jq: 'jq',
    mandoc: 'mandoc',
    wrk: 'wrk',
    zsh: 'zsh',
    fish: 'fish',
  },
  '--all': { setpriv: 'util-linux' },
};

function fail(message) {
  console.error(`haverdict setup: ${message}`);
  process.exit(1);
}

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2] }).status === 0;
}

function isSetUp() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockHash();
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function setUpPackages() {
  if (isSetUp()) return;
  console.error(
    'haverdict setup: installing npm packages into node_modules, Node 24 among them (once, 1 minute or less)',
  );
  // The warnings are about the Node that runs npm; the project uses its own.
  if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) {
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
  writeFileSync(stampFile, lockHash());
}

/** Whether it is on the PATH or in Debian's folders for root, which are not on a normal user's PATH. */
function isInstalled(program) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function setUpPrograms(wanted) {
  const missing = Object.keys(wanted).filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => wanted[program]).join(' ');
  const what = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`;
  const byHand = `install by hand (Debian, Ubuntu: sudo apt-get update && sudo apt-get install ${packages}), then run the same command again`;
  if (!isInstalled('apt-get')) fail(`${what} and apt-get is not available: ${byHand}`);
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo'];
  if (asRoot.length > 0 && !isInstalled('sudo')) fail(`${what}, and this is neither root nor is there sudo: ${byHand}`);
  console.error(`haverdict setup: installing ${packages} with apt-get (once)`);
  const apt = (...args) => {
    const options = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0'];
    const [command, ...rest] = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...options, ...args];
    return run(command, rest);
  };
  // An outdated package list is not an error yet; the install reports one.
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...packages.split(' '));
  const left = missing.filter((program) => !isInstalled(program));
  if (left.length > 0) fail(`apt-get brought no ${left.join(', ')} (see above): ${byHand}`);
}

const flags = process.argv.slice(2);
if (flags.includes('--is-done')) {
  if (isSetUp()) process.exit(0);
  console.error('haverdict: this checkout is not set up: run "npm run setup" first (installs into node_modules, once)');
  process.exit(1);
}
if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
  fail(
    `this is Node ${process.versions.node}; ${MIN_NODE_MAJOR} or later is needed to start (setup then installs the project's own)`,
  );
}
setUpPackages();
setUpPrograms(Object.assign({}, ...flags.map((flag) => PROGRAMS[flag])));
