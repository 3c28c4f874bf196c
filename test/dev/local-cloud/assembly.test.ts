import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readAssembly } from '../../../dev/local-cloud/assembly.ts';

const STACK = {
  type: 'aws:cloudformation:stack',
  environment: 'aws://111122223333/eu-west-1',
  properties: { templateFile: 'S.template.json', stackName: 'Other' },
};
const ASSETS = { type: 'cdk:asset-manifest', properties: { file: 'S.assets.json' } };
const FILES = {
  code: {
    source: { path: 'asset.code', packaging: 'zip' },
    destinations: { here: { objectKey: 'code.zip' } },
  },
  template: {
    source: { path: 'S.template.json', packaging: 'file' },
    destinations: { here: { objectKey: 'template.json' } },
  },
};

describe('an assembly', () => {
  it('tells the stack, where it goes, and the folders of its code', (t) => {
    const folder = written(t, { S: STACK, 'S.assets': ASSETS });
    const { stackName, account, region, template, assets } = readAssembly(folder);
    assert.deepEqual([stackName, account, region], ['Other', '111122223333', 'eu-west-1']);
    assert.deepEqual(template.Resources, {});
    assert.deepEqual([...assets], [['code.zip', join(folder, 'asset.code')]]);
  });

  it('gets an account and a region where it names none', (t) => {
    const stack = {
      ...STACK,
      environment: 'aws://unknown-account/unknown-region',
      properties: { templateFile: 'S.template.json' },
    };
    const { stackName, account, region } = readAssembly(written(t, { S: stack }));
    assert.deepEqual([stackName, account, region], ['S', '123456789012', 'us-east-1']);
  });

  it('must have one stack', (t) => {
    assert.throws(() => readAssembly(written(t, {})), /has 0 stacks, but exactly one is supported/);
    assert.throws(() => readAssembly(written(t, { A: STACK, B: STACK })), /has 2 stacks, but exactly one is supported/);
  });

  it('is named when it is not there', () => {
    assert.throws(() => readAssembly('/nonexistent'), /^Error: \/nonexistent\/manifest\.json cannot be read/);
  });
});

function written(t: TestContext, artifacts: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-assembly-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const files = {
    'manifest.json': { artifacts },
    'S.template.json': { Resources: {} },
    'S.assets.json': { files: FILES },
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}
