import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { packageOf } from './licences.ts';

const ROOT = join(import.meta.dirname, '..');
/** Files that the program serves as they are. */
const PAGE = 'cli/console/page';

/** CommonJS packages require Node's modules. */
const REQUIRE = "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);";

/**
 * Writes the program into `folder`: the command line with the agent as `cli/main.js`, each entry point of a
 * process or thread that is started by file name, and the page of the console. `node` is for the shebang line. Returns the folders of the bundled npm
 * packages, as paths in this checkout.
 */
export async function writeBundle(folder: string, version: string, node: string): Promise<string[]> {
  const program = { outdir: folder, entryPoints: ['cli/main.ts'], splitting: true, chunkNames: 'chunks/[name]-[hash]' };
  const started = {
    outdir: folder,
    entryPoints: ['agent/scripts/child/main.ts', 'agent/scripts/child/memory-guard.ts'],
  };
  const files = [...(await bundle(program, '..')), ...(await bundle(started, '../../..'))];
  cpSync(join(ROOT, PAGE), join(folder, PAGE), { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest(version));
  const main = join(folder, 'cli/main.js');
  writeFileSync(main, readFileSync(main, 'utf8').replace(/^#!.*\n/, `#!${node}\n`));
  chmodSync(main, 0o755);
  return [...new Set(files.flatMap(packageOf))].sort();
}

/** The program reads its version from its own package.json. */
function manifest(version: string): string {
  const exported = { './package.json': './package.json' };
  return `${JSON.stringify({ name: 'haverdict', version, type: 'module', exports: exported }, null, 2)}\n`;
}

/** Returns the input files. `top` is the path from an output file to the folder. */
async function bundle(options: BuildOptions, top: string): Promise<string[]> {
  const { metafile } = await build({
    ...options,
    absWorkingDir: ROOT,
    preserveSymlinks: true, // reproducible, wherever node_modules is
    outbase: '.',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true, // keeps names, for stack traces
    legalComments: 'none', // the package contains every licence unchanged
    metafile: true,
    banner: { js: REQUIRE },
    plugins: [placeOfSources(top), namedExports, requiredHttp],
    logLevel: 'error',
  });
  return Object.values(metafile?.outputs ?? {}).flatMap(({ inputs }) => Object.keys(inputs));
}

/** Sets `import.meta.url` to the location of the source file in the tree, not that of the bundle. */
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
 * Gives `import('package')` the named exports that Node finds in a CommonJS package: esbuild has only a default export
 * once the package is a chunk of its own.
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

/**
 * Takes `node:http` and `node:https` by `require`: an `import` reads each of their exports, and one of them is a getter that
 * loads all of Node's own fetch, which nobody here uses (40 ms of CPU of each start with Node 24).
 */
const requiredHttp: Plugin = {
  name: 'required-http',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:https?$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'required-http' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'required-http' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};
