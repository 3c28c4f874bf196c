import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build } from 'esbuild';
import { writeBundle } from '../../packaging/bundle.ts';
import { NODE, pinnedNode } from '../../packaging/node.ts';
import { sbomOf } from '../../packaging/sbom.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const { packages: lock } = read('package-lock.json') as { packages: Record<string, Locked> };

interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly unknown[];
  readonly properties?: readonly unknown[];
}

const named = ({ name, version }: { readonly name: string; readonly version: string }) => `${name}@${version}`;

describe('what is told of a package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-sbom-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let text: string;
  let components: readonly Component[];
  let dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  before(async () => {
    const packages = await writeBundle(folder, '1.0.0', '/node');
    const about = { version: '1.0.0', architecture: 'amd64', epochSeconds: 1_790_000_000, packages };
    text = sbomOf({ ...about, node: Buffer.from('the program') });
    assert.equal(sbomOf({ ...about, node: Buffer.from('the program') }), text, 'the same each time');
    ({ components, dependencies } = JSON.parse(text));
  });

  it('is all whose code is in the bundle, and Node, and nothing else', async () => {
    const inside = await packagesInAPlainBundle();
    assert.ok(inside.length > 50);
    assert.deepEqual(components.map(named).sort(), [...inside, `node@${NODE.version}`].sort());
    const [node] = components;
    assert.deepEqual(
      [node?.type, node?.hashes],
      ['platform', [{ alg: 'SHA-256', content: '50fda23bf0a5115d4f893dc10d122c10a4705f47688f5620e80611c092d4053e' }]],
    );
  });

  it('has everything that package.json needs to run, and nothing that only development needs', () => {
    const all = components.map(named);
    for (const name of Object.keys(read('package.json').dependencies))
      assert.ok(all.includes(`${name}@${lock[`node_modules/${name}`]?.version}`), name);
    const running = closureOfDependencies();
    assert.deepEqual(
      all.slice(1).filter((one) => !running.has(one)),
      [],
    );
    assert.ok(components.every(({ properties = [] }) => properties.length === 0));
  });

  it('has the hash of the lock file for each, a licence, and no registry', () => {
    const sums = new Map(Object.entries(lock).map(([path, one]) => [`${nameOf(path)}@${one.version}`, one.integrity]));
    for (const component of components.slice(1)) {
      const [{ alg = '', content = '' } = {}] = component.hashes;
      const integrity = `sha512-${Buffer.from(content, 'hex').toString('base64')}`;
      assert.deepEqual([alg, integrity], ['SHA-512', sums.get(named(component))], component.name);
      assert.match(component.purl, /^pkg:npm\/[^/]/);
      assert.equal(component.licenses.length, 1, component.name);
    }
    assert.deepEqual(text.match(/https?:[^"]*/g), ['http://cyclonedx.org/schema/bom-1.5.schema.json']);
  });

  it('tells who needs whom, of what there is', () => {
    const refs = ['haverdict@1.0.0', ...components.map(named)];
    const told = dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    assert.deepEqual(
      told.filter((ref) => !refs.includes(ref)),
      [],
    );
    const own = dependencies.find(({ ref }) => ref === 'haverdict@1.0.0')?.dependsOn ?? [];
    assert.ok(own.includes(`node@${NODE.version}`) && own.includes(`zod@${lock['node_modules/zod']?.version}`));
  });
});

describe('the Node of a package', () => {
  it('is that of the lock file, and no other byte of it', (t) => {
    assert.equal(NODE.version, lock['node_modules/node']?.version);
    assert.match(`${NODE.sha256.x64} ${NODE.sha256.arm64}`, /^[0-9a-f]{64} [0-9a-f]{64}$/);
    const { arch } = process;
    if (arch !== 'x64' && arch !== 'arm64') return;
    const program = join(ROOT, 'node_modules/node/bin/node');
    const bytes = Buffer.from(pinnedNode(program, arch));
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-node-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
      const other = join(folder, 'node');
      writeFileSync(
        other,
        Buffer.concat([bytes.subarray(0, at), Buffer.of(1 ^ (bytes[at] ?? 0)), bytes.subarray(at + 1)]),
      );
      assert.throws(() => pinnedNode(other, arch), /node has SHA-256 [0-9a-f]{64}, but Node [\d.]+ for/);
    }
  });

  it('is not that of another architecture', () => {
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    assert.throws(() => pinnedNode(process.execPath, other), /build with node_modules\/\.bin\/node/);
  });
});

/** What esbuild takes into the same program without anything of ours, as `name@version`. */
async function packagesInAPlainBundle(): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['cli/main.ts', 'agent/scripts/child/main.ts', 'agent/scripts/child/memory-guard.ts'],
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node24', preserveSymlinks: true },
    ...{ outdir: 'out', write: false, metafile: true, logLevel: 'error' },
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders.map((folder) => named(read(join(folder, 'package.json')))))];
}

/** By the lock file alone: what `dependencies` lead to, each found from where it is needed up. */
function closureOfDependencies(): Set<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const { dependencies = {}, optionalDependencies = {} } = lock[path] ?? assert.fail(path);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = folderAround(path, name);
      if (found !== undefined) visit(found);
    }
  };
  visit('');
  return new Set([...seen].map((path) => `${nameOf(path)}@${lock[path]?.version}`));
}

function folderAround(path: string, name: string): string | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (lock[place] !== undefined) return place;
    if (at === '') return undefined;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
