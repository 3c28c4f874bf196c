import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { runHaverdict } from '../../support/haverdict.ts';

const reference = (name: string) => readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');

describe('haverdict contract', () => {
  it('prints the OpenAPI document of the reference', async () => {
    const { status, stdout } = await runHaverdict('contract');
    assert.equal(status, 0);
    assert.equal(stdout, reference('contract.openapi.yaml'));
    assert.equal(parse(stdout).openapi, '3.1.0');
  });

  it('prints the JSON Schema of the reference', async () => {
    assert.deepEqual(
      JSON.parse((await runHaverdict('contract', 'schema')).stdout),
      JSON.parse(reference('contract.schema.json')),
    );
  });

  it('ends with 2 for a format that it does not know', async () => {
    assert.equal((await runHaverdict('contract', 'xml')).status, 2);
  });
});
