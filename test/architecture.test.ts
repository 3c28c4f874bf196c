import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');
const TOP = 'contract blocklist updates config haproxy spop agent functions cli infra dev bench packaging'.split(' ');

/** A row of the table in ARCHITECTURE.md. */
interface Row {
  readonly folder: string;
  readonly may: readonly string[];
  readonly types: readonly string[];
  readonly packages: readonly string[];
}

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typesOnly: boolean;
}

const files = globSync(
  '{contract,blocklist,updates,config,haproxy,spop,agent,functions,cli,infra,dev/local-cloud}/**/*.ts',
  {
    cwd: root,
    exclude: ['**/*.d.ts'],
  },
).sort();
const imports = files.flatMap(importsOf);
const document = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
const rows = decisionRows(document);

describe('the architecture', () => {
  for (const row of rows) {
    const own = imports.filter(({ from, to }) => rowOf(from) === row && rowOf(to) !== row);

    it(`lets ${row.folder} import what its row says`, () => {
      assert.deepEqual(own.filter((found) => !isAllowed(found, row)).map(describeImport), []);
    });

    it(`has nothing in the row of ${row.folder} that is not imported`, () => {
      const unused = [...row.may, ...row.types, ...row.packages].filter(
        (name) => !own.some(({ to }) => matches(to, name)),
      );
      assert.deepEqual(unused, []);
    });
  }

  it('has a row for every file', () => {
    assert.deepEqual(
      files.filter((file) => rowOf(file) === undefined),
      [],
    );
  });

  it('has every folder in the tree, and no other', () => {
    const folders = globSync(`{${TOP.join()}}/**/*.ts`, { cwd: root, exclude: ['**/*.d.ts'] }).flatMap((file) =>
      ancestors(dirname(file)),
    );
    assert.deepEqual(treeOf(document), [...new Set([...folders, 'test'])].sort());
  });

  it('lets nothing import dev, test or bench', () => {
    const wrong = imports.filter(
      ({ from, to }) => !isIn(from, 'dev') && ['dev', 'test', 'bench'].some((folder) => isIn(to, folder)),
    );
    assert.deepEqual(wrong.map(describeImport), []);
  });

  it('has nothing in agent that the daemon never loads', () => {
    const loaded = new Set(['agent/main.ts', 'agent/scripts/child/main.ts', 'agent/scripts/child/memory-guard.ts']);
    for (const file of loaded) for (const { from, to } of imports) if (from === file) loaded.add(to); // grows meanwhile
    const wrong = files.filter((file) => isIn(file, 'agent') && !loaded.has(file));
    assert.deepEqual(wrong, []);
  });

  it('has no circle of files, not even of types', () => {
    const left = new Set(files);
    const isFree = (file: string) => !imports.some(({ from, to }) => from === file && left.has(to));
    for (let before = -1; left.size !== before; ) {
      before = left.size;
      for (const file of [...left].filter(isFree)) left.delete(file);
    }
    assert.deepEqual([...left], [], 'circles, and what imports them');
  });

  it('has no file named for nothing and none above 300 lines', () => {
    const nameless = files.filter((file) => /\/(utils?|helpers?|common|misc|types|index)\.ts$/.test(file));
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301);
    assert.deepEqual({ nameless, long }, { nameless: [], long: [] });
  });

  for (const file of files.filter((file) => !/(^cli\/main|\/lambda|^infra\/app)\.ts$/.test(file))) {
    it(`loads ${file} without an effect`, async () => {
      await import(join(root, file));
    });
  }
});

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gms,
  );
  return [...found].map(([, typesOnly, from, dynamic, bare]) => {
    const to = from ?? dynamic ?? bare ?? '';
    return {
      from: file,
      to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to,
      typesOnly: typesOnly !== undefined,
    };
  });
}

function isAllowed({ to, typesOnly }: Import, { may, types, packages }: Row): boolean {
  if (to === 'package.json') return true;
  return [...may, ...packages, ...(typesOnly ? types : [])].some((name) => matches(to, name));
}

/** The row of a file: the longest that fits. */
function rowOf(file: string): Row | undefined {
  return rows.filter(({ folder }) => matches(file, folder)).sort((a, b) => b.folder.length - a.folder.length)[0];
}

/** Is this the file or package of that name, in the folder of that name, or one for which its `*` stands? */
function matches(path: string, name: string): boolean {
  const isOurs = TOP.some((folder) => isIn(name, folder));
  const [start = '', end] = name.split('*');
  if (end === undefined) return path === name || (isOurs && isIn(path, name));
  if (isOurs && path.slice(start.length).includes('/')) return false;
  return path.startsWith(start) && path.endsWith(end);
}

function decisionRows(markdown: string): Row[] {
  const [, table = ''] = /\n\| Folder \|.*\n\| ---.*\n([\s\S]*?)\n\n/.exec(markdown) ?? [];
  return table.split('\n').map((line) => {
    const [folders = [], may = [], types = [], packages = []] = line
      .split('|')
      .slice(1)
      .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
    return { folder: folders[0] ?? '', may, types, packages };
  });
}

/** The folders of the tree, each with those above it. */
function treeOf(markdown: string): string[] {
  const [, tree = ''] = /## The tree\n\n```\n([\s\S]*?)```/.exec(markdown) ?? [];
  const above: string[] = [];
  const found = [...tree.matchAll(/^( *)(\S+)\/( |$)/gm)].map(([, indent = '', name = '']) => {
    above.splice(indent.length / 2, above.length, name);
    return above.join('/');
  });
  return found.sort();
}

function ancestors(folder: string): string[] {
  const parts = folder.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function isIn(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

function describeImport({ from, to }: Import): string {
  return `${from} imports ${to}`;
}
