import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const PARTS = [
  'infra',
  'functions',
  'blocklist',
  'spop',
  'updates',
  'contract',
  'config',
  'haproxy',
  'agent',
  'packaging/function-bundles.ts',
  'packaging/licences.ts',
];
const FILES = ['cdk.json', 'deploy.example.yaml', 'package.json', 'package-lock.json'];
const NO_CREDENTIALS = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' };

describe('what is deployed', () => {
  const folders: string[] = [];

  before(async () => {
    folders.push(copyOfCheckout(), copyOfCheckout());
    await Promise.all(folders.map(synthesize));
  });
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it('is the same to the last byte from whatever folder it is made, and needs no credentials', () => {
    const [one = '', other = ''] = folders;
    const [template = ''] = globSync('cdk.out/*.template.json', { cwd: one });
    assert.equal(readFileSync(join(one, template), 'utf8'), readFileSync(join(other, template), 'utf8'));
    const [ours, theirs] = [one, other].map((folder) => bundlesIn(folder).map((file) => readFileSync(file)));
    assert.deepEqual(ours, theirs);
    assert.doesNotMatch(readFileSync(join(one, template), 'utf8'), /haverdict-synth-/);
  });

  it('are three functions that load: of less than 420 KiB where callers wait for the start, and 440 KiB', async () => {
    const [one = ''] = folders;
    const files = bundlesIn(one);
    assert.equal(files.length, 3);
    for (const file of files) {
      const { length } = readFileSync(file);
      assert.ok(length < (file.includes('/check/') ? 420 : 440) * 1024, `${length} bytes`);
      const script = `import(${JSON.stringify(file)}).then((bundle) => console.log(Object.keys(bundle).join()))`;
      const tables = { HAVERDICT_TABLE: 'a-table', HAVERDICT_UPDATES_TABLE: 'its-log' };
      const env = {
        AWS_REGION: 'local',
        AWS_LAMBDA_FUNCTION_NAME: 'a-function',
        AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
        ...tables,
        ...NO_CREDENTIALS,
      };
      const { stdout } = await run(process.execPath, ['-e', script], { env });
      assert.match(stdout, /^handler$/m);
    }
  });
});

/** Only what the app is made from, without bundles: the packages are those of this checkout. */
function copyOfCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-synth-'));
  for (const part of [...PARTS, ...FILES])
    cpSync(join(root, part), join(folder, part), {
      recursive: true,
      filter: (file) => !/functions\/\w+\/bundle/.test(file),
    });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function synthesize(folder: string): Promise<void> {
  const { app, context } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8'));
  const env = {
    ...NO_CREDENTIALS,
    PATH: process.env.PATH,
    CDK_VALIDATION: 'false', // stack.test.ts does it
    CDK_OUTDIR: join(folder, 'cdk.out'),
    CDK_CONTEXT_JSON: JSON.stringify(context),
    DEPLOYMENT_SETTINGS: 'deploy.example.yaml',
  };
  await run('sh', ['-c', app], { cwd: folder, env });
}

function bundlesIn(folder: string): string[] {
  return globSync('cdk.out/asset.*/index.mjs', { cwd: folder })
    .sort()
    .map((bundle) => join(folder, bundle));
}
