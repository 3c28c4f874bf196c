import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readEnvironment } from '../../../functions/check/environment.ts';
import { functionEvent } from '../../support/function-event.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

describe('readEnvironment', () => {
  it('has a default for everything', () => {
    assert.deepEqual(readEnvironment({}), { table: 'haverdict', ttlSeconds: 300 });
  });
  it('takes the table and the seconds', () => {
    const env = { HAVERDICT_TABLE: 'other', HAVERDICT_TTL_SECONDS: '0' };
    assert.deepEqual(readEnvironment(env), { table: 'other', ttlSeconds: 0 });
  });
  for (const text of ['-1', '1.5', '5m', '86401', '1e3', ' '])
    it(`refuses ${JSON.stringify(text)} seconds`, () => {
      assert.throws(() => readEnvironment({ HAVERDICT_TTL_SECONDS: text }), /must be a whole number of seconds from 0/);
    });
});

describe('the Lambda entry', () => {
  it('answers from the table that its environment names', async (t) => {
    const { endpoint } = await localTable(t);
    await storeAt(endpoint).put({ subject: 'host:evil.example', list: 'manual', action: 'deny' });
    const body = JSON.stringify({ lists: ['manual'], subjects: ['host:evil.example'] });
    const answer = await invoked(functionEvent('POST', '/v1/check', body), endpoint);
    assert.equal(answer.statusCode, 200);
    assert.equal(JSON.parse(answer.body).verdicts[0].entry.action, 'deny');
    assert.equal(JSON.parse(answer.body).ttl, 7);
  });

  it('answers 503 when DynamoDB is not there', async () => {
    const body = JSON.stringify({ lists: ['manual'], subjects: ['host:evil.example'] });
    const answer = await invoked(functionEvent('POST', '/v1/check', body), 'http://127.0.0.1:1');
    assert.equal(answer.statusCode, 503);
  });
});

/** Runs the entry in a process of its own, as Lambda does, with Lambda's environment and nothing else. */
async function invoked(event: object, endpoint: string) {
  const entry = new URL('../../../functions/check/lambda.ts', import.meta.url).href;
  const script = `console.log = () => {};
    const { handler } = await import(${JSON.stringify(entry)});
    process.stdout.write(JSON.stringify(await handler(${JSON.stringify(event)})));`;
  const env = {
    ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
    ...{ HAVERDICT_TABLE: 'haverdict', HAVERDICT_TTL_SECONDS: '7', AWS_ENDPOINT_URL_DYNAMODB: endpoint },
  };
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  return JSON.parse((await run).stdout);
}
