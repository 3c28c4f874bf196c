import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** The files that decide the bytes of a bundle. */
const SOURCES = [
  'functions/**/*.ts',
  'blocklist/**/*.ts',
  'contract/**/*.ts',
  'dev/function-bundles.ts',
  'package-lock.json',
];

/** A bundle is ESM, in which the CommonJS parts of the SDK lack `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Bundles every Lambda function, with the SDK, as `functions/NAME/bundle/index.mjs`, which the stack and the package use.
 * Equal sources make equal bytes. Returns the folders, relative to this checkout.
 */
export function bundleFunctions(): string[] {
  const sources = hashOf(globSync(SOURCES, { cwd: ROOT }).sort());
  return globSync('functions/*/lambda.ts', { cwd: ROOT }).map((entry) => {
    const folder = join(dirname(entry), 'bundle');
    const stamp = join(ROOT, `${folder}.sources`);
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return folder;
    mkdirSync(join(ROOT, folder), { recursive: true });
    replace(join(ROOT, folder, 'index.mjs'), bundle(entry));
    replace(stamp, sources);
    return folder;
  });
}

function bundle(entry: string): Uint8Array {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    preserveSymlinks: true, // reproducible, wherever node_modules is
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'], // 190 KiB less than with the default
    banner: { js: REQUIRE },
    logLevel: 'error',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote nothing for ${entry}`);
  return file.contents;
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
}

/** Another process may do the same at the same time. */
function replace(file: string, content: string | Uint8Array): void {
  const own = join(dirname(dirname(file)), `.${basename(file)}.${process.pid}`);
  writeFileSync(own, content);
  renameSync(own, file);
}

// With a folder, also copies the bundles there.
if (import.meta.main) {
  const [into] = process.argv.slice(2);
  for (const folder of bundleFunctions())
    if (into !== undefined) cpSync(join(ROOT, folder), join(ROOT, into, folder), { recursive: true });
}
