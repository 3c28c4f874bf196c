// npm run package: builds the release files in packages/.
// node packaging/main.ts bundle FOLDER NODE: builds only the program, for a container.

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeBundle } from './bundle.ts';
import { buildDeb, sbomOfDeb } from './deb.ts';
import { tarballOf } from './tarball.ts';

const ROOT = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const [what, folder, node] = process.argv.slice(2);

if (what === undefined) {
  const epochSeconds = Number(process.env.SOURCE_DATE_EPOCH ?? timeOfCommit());
  const folder = join(ROOT, 'packages');
  console.error(
    `haverdict package: bundling the program and compressing it with Node ${process.version}, about a minute`,
  );
  const deb = await buildDeb({ version, epochSeconds, compression: 'xz', folder });
  for (const file of [deb, tarballOf(deb, epochSeconds), sbomOfDeb(deb)])
    console.log(`${relative(process.cwd(), file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB`);
} else if (what === 'bundle' && folder !== undefined && node !== undefined) {
  await writeBundle(folder, version, node);
} else {
  console.error('usage: node packaging/main.ts [bundle FOLDER NODE]');
  process.exitCode = 2;
}

function timeOfCommit(): string {
  return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' });
}
