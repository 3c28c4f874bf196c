import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { configSchema } from '../config/json-schema.ts';
import { writeBundle } from './bundle.ts';
import { commandPage, readCommands } from './command-man-page.ts';
import { completions } from './completions.ts';
import { changelog, control, copyright } from './control-files.ts';
import { licenceOfNode, licencesOf } from './licences.ts';
import { pinnedNode } from './node.ts';
import { sbomOf } from './sbom.ts';
import { settingsPage } from './settings-man-page.ts';

const HERE = import.meta.dirname;
const NODE = '/usr/lib/haverdict/node';
const CONFIGURATION = '/etc/haverdict/haverdict.yaml';
const SCRIPTS = ['postinst', 'prerm', 'postrm'];
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' } as const;

export interface DebSettings {
  readonly version: string;
  /** The time of the sources, for a reproducible build. */
  readonly epochSeconds: number;
  /** `xz` for downloads; `none` builds in a second. */
  readonly compression: 'xz' | 'none';
  /** The output folder. */
  readonly folder: string;
}

/**
 * Builds the Debian package for this architecture, with the running Node, which must be the pinned one, and its SBOM
 * (`.cdx.json`). Returns the path of the package.
 */
export async function buildDeb({ version, epochSeconds, compression, folder }: DebSettings): Promise<string> {
  const { arch } = process;
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`no package is built for ${arch}: x64 or arm64 is needed`);
  const architecture = ARCHITECTURES[arch];
  const node = pinnedNode(process.execPath, arch);
  const tree = mkdtempSync(join(tmpdir(), 'haverdict-deb-'));
  try {
    const packages = await writeTree(tree, version, epochSeconds, node);
    writeControl(tree, control(version, architecture, kibibytesIn(tree)));
    setModes(tree);
    mkdirSync(folder, { recursive: true });
    const name = `haverdict_${version}_${architecture}`;
    const contents = { version, architecture, epochSeconds, packages, node: readFileSync(join(tree, NODE)) };
    const deb = join(folder, `${name}.deb`);
    writeFileSync(sbomOfDeb(deb), sbomOf(contents));
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds) }; // dpkg-deb clamps later times in the tree
    const command = ['--root-owner-group', `-Z${compression}`, '--build', tree, deb];
    execFileSync('dpkg-deb', command, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    return deb;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** The path of the SBOM beside a package. */
export function sbomOfDeb(deb: string): string {
  return deb.replace(/\.deb$/, '.cdx.json');
}

/** Returns the folders of the bundled npm packages. */
async function writeTree(tree: string, version: string, epochSeconds: number, node: Uint8Array): Promise<string[]> {
  const packages = await writeBundle(join(tree, 'usr/lib/haverdict'), version, NODE);
  write(tree, NODE, node);
  execFileSync('strip', ['--strip-unneeded', join(tree, NODE)]);
  mkdirSync(join(tree, 'usr/bin'));
  symlinkSync('../lib/haverdict/cli/main.js', join(tree, 'usr/bin/haverdict'));
  copy(join(HERE, 'debian/haverdict.yaml'), tree, CONFIGURATION);
  for (const unit of ['haverdict.service', 'haverdict.socket'])
    copy(join(HERE, 'systemd', unit), tree, `/usr/lib/systemd/system/${unit}`);
  copy(join(HERE, 'systemd/haverdict.sysusers'), tree, '/usr/lib/sysusers.d/haverdict.conf');
  write(tree, '/usr/share/haverdict/haverdict.schema.json', configSchema());
  const commands = await readCommands();
  const doc = '/usr/share/doc/haverdict';
  write(tree, '/usr/share/man/man1/haverdict.1.gz', gzipSync(commandPage(commands, version, epochSeconds)));
  write(tree, '/usr/share/man/man5/haverdict.yaml.5.gz', gzipSync(settingsPage(version, epochSeconds)));
  write(tree, `${doc}/changelog.gz`, gzipSync(changelog(version, epochSeconds)));
  write(tree, `${doc}/copyright`, copyright());
  write(tree, `${doc}/licences.gz`, gzipSync(`${licenceOfNode(process.execPath)}\n${licencesOf(packages)}`));
  for (const { path, text } of completions(join(tree, 'usr/lib/haverdict/cli/main.js'))) write(tree, path, text);
  return packages;
}

function writeControl(tree: string, text: string): void {
  write(tree, '/DEBIAN/control', text);
  write(tree, '/DEBIAN/conffiles', `${CONFIGURATION}\n`);
  for (const script of SCRIPTS) copy(join(HERE, 'debian', script), tree, `/DEBIAN/${script}`);
}

/** Fixed modes, independent of umask and checkout. */
function setModes(tree: string): void {
  const programs = new Set([
    'usr/lib/haverdict/node',
    'usr/lib/haverdict/cli/main.js',
    ...SCRIPTS.map((s) => `DEBIAN/${s}`),
  ]);
  for (const path of globSync('**', { cwd: tree })) {
    if (path === 'usr/bin/haverdict') continue; // a symbolic link; its file is handled separately
    const full = join(tree, path);
    chmodSync(full, statSync(full).isDirectory() || programs.has(path) ? 0o755 : 0o644);
  }
  chmodSync(tree, 0o755);
}

function kibibytesIn(tree: string): number {
  const files = globSync('**', { cwd: tree }).map((path) => statSync(join(tree, path)));
  return files.reduce((sum, file) => sum + (file.isFile() ? Math.ceil(file.size / 1024) : 1), 0);
}

function copy(from: string, tree: string, to: string): void {
  const target = join(tree, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(from, target, { dereference: true });
}

function write(tree: string, path: string, content: string | Uint8Array): void {
  const target = join(tree, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
}
