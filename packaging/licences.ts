import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const NAMES = '{licen[cs]e,licen[cs]e.*,LICEN[CS]E,LICEN[CS]E.*,NOTICE,NOTICE.*}';

/** The licence text of every package in the bundle; without a file, the name of the licence. */
export function licencesOf(packages: readonly string[]): string {
  return packages.map((folder) => sectionOf(join(ROOT, folder))).join('\n');
}

/** The package folder of a file: `node_modules/a/node_modules/@b/c` for `node_modules/a/node_modules/@b/c/d.js`. */
export function packageOf(file: string): string[] {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
  return folder === undefined ? [] : [folder];
}

/** The licence of Node, from its distribution if present. */
export function licenceOfNode(node: string): string {
  const file = join(dirname(node), '../LICENSE');
  const text = existsSync(file)
    ? readFileSync(file, 'utf8')
    : 'MIT; the whole text: https://github.com/nodejs/node/blob/main/LICENSE';
  return `Node.js ${process.version}\n\n${text.trim()}\n`;
}

function sectionOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = globSync(NAMES, { cwd: folder })
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version}: ${license ?? 'see below'}`, ...texts, ''].join('\n\n');
}
