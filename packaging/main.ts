// npm run package: builds the release files in dist/packages/.
// node packaging/main.ts bundle FOLDER NODE: builds only the program, for a container.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBundle } from './bundle.ts';
import { buildDeb } from './deb.ts';

const ROOT = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const [what, folder, node] = process.argv.slice(2);

if (what === undefined) {
  const epochSeconds = Number(process.env.SOURCE_DATE_EPOCH ?? timeOfCommit());
  console.log(await buildDeb({ version, epochSeconds, compression: 'xz', folder: join(ROOT, 'dist/packages') }));
} else if (what === 'bundle' && folder !== undefined && node !== undefined) {
  await writeBundle(folder, version, node);
} else {
  console.error('usage: node packaging/main.ts [bundle FOLDER NODE]');
  process.exitCode = 2;
}

function timeOfCommit(): string {
  return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' });
}
