// Fetches the HAProxys of newer Debian suites and unpacks them with all their libraries; installs nothing.
// Uses apt with separate folders: it uses the system's mirror and proxy, and verifies the packages.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILDS_FOLDER, NEWER_SUITES, type NewerSuite, newerBuild } from './haproxy-builds.ts';
import { runCommand } from './run-command.ts';

/** From Debian's package `debian-archive-keyring`, which has the keys of newer suites too. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** The second is the smallest package that satisfies HAProxy's dependency on systemd. */
const PACKAGES = ['haproxy', 'systemd-standalone-sysusers'];

/** Fetches the missing ones; throws with the name of a suite that cannot be fetched. */
export function fetchHaproxies(): void {
  for (const suite of Object.keys(NEWER_SUITES) as NewerSuite[]) {
    try {
      if (newerBuild(suite) === undefined) fetchSuite(suite);
    } catch (error) {
      throw new Error(`no HAProxy of Debian ${suite}`, { cause: error });
    }
  }
}

function fetchSuite(suite: NewerSuite): void {
  mkdirSync(BUILDS_FOLDER, { recursive: true });
  // Private until it is reduced to what is needed, since packages contain setuid programs.
  const folder = mkdtempSync(join(BUILDS_FOLDER, '.fetching-'));
  try {
    const apt = writeAptFolder(folder, suite);
    runCommand('apt-get', ['-c', apt, '-qq', 'update']);
    runCommand('apt-get', ['-c', apt, '-qq', '-y', '--download-only', 'install', ...PACKAGES]);
    const root = join(folder, 'root');
    const archives = join(folder, 'archives');
    const packages = readdirSync(archives).filter((name) => name.endsWith('.deb'));
    for (const name of packages) runCommand('dpkg-deb', ['-x', join(archives, name), root]);
    const build = join(folder, 'build');
    assemble(root, build);
    renameSync(build, join(BUILDS_FOLDER, suite));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes a configuration that isolates apt from this system's packages and suites, except for the mirror. */
function writeAptFolder(folder: string, suite: NewerSuite): string {
  const { mirror, architecture } = debianMirror();
  const options = [`arch=${architecture}`, 'target=Packages', ...(existsSync(KEYRING) ? [`signed-by=${KEYRING}`] : [])];
  const sources = [suite, ...NEWER_SUITES[suite]].map((from) => `deb [${options.join(' ')}] ${mirror} ${from} main\n`);
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'sources.list'), sources.join(''));
  // apt installs from `experimental` only on request.
  writeFileSync(join(folder, 'preferences'), 'Package: haproxy\nPin: release a=experimental\nPin-Priority: 990\n');
  writeFileSync(join(folder, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': join(folder, 'preferences'),
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::Status': join(folder, 'status'),
    'Dir::State::extended_states': join(folder, 'extended_states'),
    'Dir::Cache': folder,
    'Dir::Cache::Archives': join(folder, 'archives'),
    'APT::Architecture': architecture,
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  };
  // Hooks are for the system's own folders.
  const hooks = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  const lines = [
    ...Object.entries(settings).map(([key, value]) => `${key} "${value}";`),
    ...hooks.map((hook) => `#clear ${hook};`),
  ];
  const file = join(folder, 'apt.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function debianMirror(): { mirror: string; architecture: string } {
  const architecture = runCommand('dpkg', ['--print-architecture']).trim();
  const targets = runCommand('apt-get', ['indextargets', '--format', '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)']);
  const mirror = /^Debian\|Debian\|main\|(.+)$/m.exec(targets)?.[1];
  if (mirror === undefined)
    throw new Error('apt knows no mirror of Debian here (if it should, apt-get update comes first)');
  return { mirror, architecture };
}

/** Keeps only the program, its libraries, and a script that runs it with them and their loader. */
function assemble(root: string, build: string): void {
  const [libraries = ''] = readdirSync(join(root, 'usr/lib')).filter((name) => name.includes('-linux-'));
  mkdirSync(build);
  renameSync(join(root, 'usr/lib', libraries), join(build, 'lib'));
  renameSync(join(root, 'usr/sbin/haproxy'), join(build, 'program'));
  const loader = readdirSync(join(build, 'lib')).find((name) => name.startsWith('ld-linux'));
  if (loader === undefined) throw new Error(`libc6 brought no ld-linux in /usr/lib/${libraries}`);
  // argv[0] must be this script, since HAProxy runs its argv[0] again on a reload.
  const script = `#!/bin/sh
here=\${0%/*}
exec "$here/lib/${loader}" --argv0 "$0" --library-path "$here/lib" "$here/program" "$@"
`;
  writeFileSync(join(build, 'haproxy'), script, { mode: 0o755 });
}
