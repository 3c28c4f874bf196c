import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { compilerPackage, OTHER_COMPILERS } from '../../dev/test-tools.ts';
import { exportsOf } from './documented-exports.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Packs the package in `from` and returns the name of the file in `folder`. */
export async function packed(from: string, folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: from });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return filename;
}

/** The packages in a project, those of packages too. */
export function installedIn(folder: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  return Object.keys(packages).flatMap((path) => (path === '' ? [] : [path.replace('node_modules/', '')]));
}

/** Puts a package into a project without installing it. */
export function link(folder: string, name: string, from = join(root, 'node_modules', name)): void {
  mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
  symlinkSync(from, join(folder, 'node_modules', name));
}

/** Writes the examples of a module as programs. */
export function writeExamples(entry: string, folder: string): void {
  for (const [nth, { example = '' }] of exportsOf(join(root, entry)).entries())
    writeFileSync(join(folder, `example-${basename(entry, '.ts')}-${nth}.mts`), example);
}

/** The programs in TypeScript of a page. */
export function codeIn(page: string): string[] {
  return [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
}

/** How a program can be set up that our types are in: options of the compiler. */
export type Setups = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export const SETUPS: Setups = {
  'module nodenext': { module: 'nodenext', types: ['node'] },
  'a bundler': { module: 'esnext', moduleResolution: 'bundler', types: ['node'] },
};

const COMPILERS = [...OTHER_COMPILERS.map(compilerPackage), join(root, 'node_modules/typescript')];
const STRICT = {
  ...{ strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', lib: ['es2022'] },
  ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, verbatimModuleSyntax: true },
};

/** Compiles the programs in a folder, whose packages are installed there, with every version of TypeScript. */
export function compiles(folderOf: () => string, setups: Setups, include = '*.mts'): void {
  for (const compiler of COMPILERS)
    for (const [setup, options] of Object.entries(setups))
      it(`compiles with TypeScript ${versionOf(compiler)} for ${setup}`, async () => {
        const file = join(folderOf(), 'tsconfig.json');
        writeFileSync(file, JSON.stringify({ compilerOptions: { ...STRICT, ...options }, include: [include] }));
        await run(process.execPath, [join(compiler, 'bin/tsc'), '-p', file]).catch(({ stdout }) => assert.fail(stdout));
      });
}

/** What stands before the place at which a compiler has to point. */
const WRONG = '/*!*/';

/** Every compiler points at exactly the marked places of a program, which is in a folder where the package is installed. */
export function pointsAt(folderOf: () => string, program: string): void {
  const places = program.split('\n').flatMap((line, index) => {
    const at = line.indexOf(WRONG);
    return at < 0 ? [] : [`${index + 1},${at + WRONG.length + 1}`];
  });
  for (const compiler of COMPILERS)
    it(`are refused where they are wrong by TypeScript ${versionOf(compiler)}`, async () => {
      const folder = join(folderOf(), 'wrong');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'agent.mts'), program);
      const compilerOptions = { ...STRICT, module: 'nodenext', types: [] };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['agent.mts'] }));
      const tsc = run(process.execPath, [join(compiler, 'bin/tsc'), '-p', folder, '--pretty', 'false']);
      const said: string = await tsc.then(
        () => '',
        ({ stdout }) => stdout,
      );
      assert.deepEqual(
        [...said.matchAll(/agent\.mts\((\d+,\d+)\)/g)].map(([, place]) => place),
        places,
        said,
      );
    });
}

function versionOf(compiler: string): string {
  if (!existsSync(compiler)) return `of ${compiler}, which npm run test:tools brings,`;
  return JSON.parse(readFileSync(join(compiler, 'package.json'), 'utf8')).version;
}
