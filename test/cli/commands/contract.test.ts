import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { runHaverdict } from '../../support/haverdict.ts';

const reference = (name: string) => readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');

describe('haverdict contract', () => {
  it('prints the OpenAPI document of the reference', () => {
    const { status, stdout } = runHaverdict('contract');
    assert.equal(status, 0);
    assert.equal(stdout, reference('contract.openapi.yaml'));
    assert.equal(parse(stdout).openapi, '3.1.0');
  });

  it('prints the JSON Schema of the reference', () => {
    assert.deepEqual(
      JSON.parse(runHaverdict('contract', 'schema').stdout),
      JSON.parse(reference('contract.schema.json')),
    );
  });

  it('ends with 2 for a format that it does not know', () => {
    assert.equal(runHaverdict('contract', 'xml').status, 2);
  });
});
