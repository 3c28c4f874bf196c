import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** CommonJS packages require Node's modules. */
const REQUIRE = "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);";

/**
 * Writes the program into `folder`: the command line with the agent as `cli/main.js`, and beside it what is started by
 * its file name, in processes and threads of its own, each whole by itself. `node` is what the program is run with.
 * Returns the folders of the npm packages that are in it, as paths in this checkout.
 */
export async function writeBundle(folder: string, version: string, node: string): Promise<string[]> {
  const program = { outdir: folder, entryPoints: ['cli/main.ts'], splitting: true, chunkNames: 'chunks/[name]-[hash]' };
  const started = {
    outdir: folder,
    entryPoints: ['agent/scripts/child/main.ts', 'agent/scripts/child/memory-guard.ts'],
  };
  const files = [...(await bundle(program, '..')), ...(await bundle(started, '../../..'))];
  writeFileSync(join(folder, 'package.json'), manifest(version));
  const main = join(folder, 'cli/main.js');
  writeFileSync(main, readFileSync(main, 'utf8').replace(/^#!.*\n/, `#!${node}\n`));
  chmodSync(main, 0o755);
  return [...new Set(files.flatMap(packageOf))].sort();
}

/** What the program looks up by its own name: its version. */
function manifest(version: string): string {
  const exported = { './package.json': './package.json' };
  return `${JSON.stringify({ name: 'haverdict', version, type: 'module', exports: exported }, null, 2)}\n`;
}

/** Returns the files that something was taken from. `top` leads from each file that is written to the folder. */
async function bundle(options: BuildOptions, top: string): Promise<string[]> {
  const { metafile } = await build({
    ...options,
    absWorkingDir: ROOT,
    preserveSymlinks: true, // the same names and so the same bytes, wherever node_modules is
    outbase: '.',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true, // names stay, for stack traces
    legalComments: 'none', // the package has every licence as it was written
    metafile: true,
    banner: { js: REQUIRE },
    plugins: [placeOfSources(top), namedExports],
    logLevel: 'error',
  });
  return Object.values(metafile?.outputs ?? {}).flatMap(({ inputs }) => Object.keys(inputs));
}

/** A file of ours that asks where it is gets its place in the tree, not that of the file it ended up in. */
function placeOfSources(top: string): Plugin {
  return {
    name: 'place-of-sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const place = `${top}/${relative(ROOT, path).replace(/\.ts$/, '.js')}`;
        const source = readFileSync(path, 'utf8');
        const url = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
        return { contents: source.replaceAll('import.meta.url', url), loader: 'ts' };
      });
    },
  };
}

/**
 * Gives `import('package')` the names that Node finds in a CommonJS package: esbuild has nothing but a default export for
 * it, as soon as it stands in a file of its own.
 */
const namedExports: Plugin = {
  name: 'named-exports',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) =>
      kind === 'dynamic-import' && !path.startsWith('node:') && !importer.includes('node_modules')
        ? { path, namespace: 'named-exports' }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'named-exports' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) =>
        /^(?!default$)[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name),
      );
      return { contents: `export { ${names.join(', ')} } from ${JSON.stringify(path)};`, resolveDir: ROOT };
    });
  },
};

/** `node_modules/a/node_modules/@b/c/d.js` is of `node_modules/a/node_modules/@b/c`. */
function packageOf(file: string): string[] {
  const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
  return folder === undefined ? [] : [folder];
}
