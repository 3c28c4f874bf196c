import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { licencesOf, packageOf } from './licences.ts';

const ROOT = join(import.meta.dirname, '..');

/** A bundle is ESM, in which the CommonJS parts of the SDK lack `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface Bundle {
  /** Relative to this checkout, as the files are. */
  readonly folder: string;
  readonly inputs: readonly string[];
}

/**
 * Bundles every Lambda function, with the SDK, as `functions/NAME/bundle/index.mjs`, which the stack and the package use.
 * Equal sources make equal bytes, and what is up to date stays.
 */
export function bundleFunctions(): Bundle[] {
  return globSync('functions/*/lambda.ts', { cwd: ROOT }).map((entry) => {
    const folder = join(dirname(entry), 'bundle');
    const last = upToDate(folder);
    if (last !== undefined) return last;
    const { code, inputs } = bundle(entry);
    mkdirSync(join(ROOT, folder), { recursive: true });
    replace(join(ROOT, folder, 'index.mjs'), code);
    replace(stampOf(folder), JSON.stringify({ inputs, hash: hashOf(inputs) }));
    return { folder, inputs };
  });
}

/** Beside the folder: what is in it is uploaded. */
function stampOf(folder: string): string {
  return join(ROOT, `${folder}.inputs.json`);
}

function upToDate(folder: string): Bundle | undefined {
  if (!existsSync(stampOf(folder)) || !existsSync(join(ROOT, folder, 'index.mjs'))) return undefined;
  const { inputs, hash } = JSON.parse(readFileSync(stampOf(folder), 'utf8'));
  const areThere = inputs.every((file: string) => existsSync(join(ROOT, file)));
  return areThere && hashOf(inputs) === hash ? { folder, inputs } : undefined;
}

function bundle(entry: string): { readonly code: Uint8Array; readonly inputs: readonly string[] } {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    preserveSymlinks: true, // reproducible, wherever node_modules is
    bundle: true,
    write: false,
    metafile: true,
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
  return { code: file.contents, inputs: ['packaging/function-bundles.ts', ...Object.keys(metafile.inputs)] };
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

/** Puts the bundles into the npm package, with the licences of the packages in them. */
function copyInto(target: string): void {
  const bundles = bundleFunctions();
  for (const { folder } of bundles) cpSync(join(ROOT, folder), join(target, folder), { recursive: true });
  const packages = [...new Set(bundles.flatMap(({ inputs }) => inputs.flatMap(packageOf)))].sort();
  writeFileSync(join(target, 'functions/licences.txt'), licencesOf(packages));
}

if (import.meta.main) {
  const [target] = process.argv.slice(2);
  if (target === undefined) bundleFunctions();
  else copyInto(target);
}
