import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storeError } from '../../../blocklist/dynamodb/error.ts';

describe('an error of the store', () => {
  it('has no place where there is neither an endpoint nor a region, and says how to name one', () =>
    assert.equal(
      storeError(new Error('Region is missing'), { operation: 'read', table: 'haverdict', where: undefined }).message,
      'read on table haverdict failed: no AWS region configured: set AWS_REGION or use --region',
    ));

  it('names its place', () =>
    assert.equal(
      storeError(new Error('gone'), { operation: 'write', table: 'haverdict', where: 'eu-central-1' }).message,
      'write on table haverdict at eu-central-1 failed: Error: gone',
    ));
});
