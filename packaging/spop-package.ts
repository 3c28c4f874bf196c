/** Builds the package `haverdict-spop` in `spop/`: one module, and one file with its types. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'spop');
const DIST = join(FOLDER, 'dist');

/** Of an import or export of ours: the path without its ending. */
const FROM = /\bfrom '(\.[^']+)\.ts'/g;
const IMPORT = /^import [^;]*;\n/gm;

if (import.meta.main) {
  mkdirSync(DIST, { recursive: true });
  writeFileSync(join(DIST, 'spop.d.ts'), declarations());
  await build({
    entryPoints: [join(FOLDER, 'spop.ts')],
    outfile: join(DIST, 'spop.js'),
    bundle: true,
    minifySyntax: true, // it stays readable
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
  });
  copyFileSync(join(ROOT, 'LICENSE'), join(FOLDER, 'LICENSE'));
}

/**
 * The declarations of all files that the module can be reached from, one behind the other, of which those are exported that the
 * module exports. No two files declare the same name: the compiler would say so.
 */
function declarations(): string {
  const out = mkdtempSync(join(tmpdir(), 'haverdict-spop-types-'));
  try {
    execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', FOLDER, '--outDir', out], { stdio: 'inherit' });
    const entry = join(out, 'spop.d.ts');
    const files = new Set([entry]);
    for (const file of files)
      for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(FROM))
        files.add(join(dirname(file), `${path}.d.ts`)); // grows meanwhile
    const [index = '', ...others] = [...files].map((file) => readFileSync(file, 'utf8'));
    const own = others.map((text) => text.replaceAll(IMPORT, '').replaceAll(/^export (?=\w)/gm, ''));
    return [index.replaceAll(/ from '[^']+';/g, ';'), ...own].join('');
  } finally {
    rmSync(out, { recursive: true });
  }
}
