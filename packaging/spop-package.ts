/** Builds the package `haverdict-spop` in `spop/`: one module, and the types that a program can reach from it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'spop');
const DIST = join(FOLDER, 'dist');

if (import.meta.main) {
  rmSync(DIST, { recursive: true, force: true });
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', FOLDER], { stdio: 'inherit' });
  const reachable = declarationsFrom(join(DIST, 'spop.d.ts'));
  for (const file of globSync(join(DIST, '**/*.d.ts'))) if (!reachable.has(file)) rmSync(file);
  await build({
    entryPoints: [join(FOLDER, 'spop.ts')],
    outfile: join(DIST, 'spop.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
  });
  copyFileSync(join(ROOT, 'LICENSE'), join(FOLDER, 'LICENSE'));
}

/** The declaration file and all that it and those import, with the imports as every version of TypeScript reads them. */
function declarationsFrom(entry: string): Set<string> {
  const found = new Set([entry]);
  for (const file of found) {
    const text = readFileSync(file, 'utf8').replaceAll(/(\bfrom '\.[^']+)\.ts'/g, "$1.js'");
    writeFileSync(file, text);
    for (const [, path = ''] of text.matchAll(/\bfrom '(\.[^']+)\.js'/g))
      found.add(`${join(dirname(file), path)}.d.ts`); // grows meanwhile
  }
  return found;
}
