import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readEnvironment } from '../../../functions/check/environment.ts';
import { faultyTable } from '../../support/faulty-table.ts';
import { functionEvent } from '../../support/function-event.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

describe('readEnvironment', () => {
  it('has a default for everything', () => {
    const updates = { updatesTable: undefined, updatePollMs: 1000 };
    assert.deepEqual(readEnvironment({}), {
      table: 'haverdict',
      ttlSeconds: 300,
      functionName: 'local',
      region: 'local',
      ...updates,
    });
  });
  it('takes the tables, the times and the name of the function', () => {
    const env = {
      HAVERDICT_TABLE: 'other',
      HAVERDICT_TTL_SECONDS: '0',
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      AWS_REGION: 'r',
    };
    const updates = { HAVERDICT_UPDATES_TABLE: 'log', HAVERDICT_UPDATE_POLL_MS: '250' };
    assert.deepEqual(readEnvironment({ ...env, ...updates }), {
      ...{ table: 'other', ttlSeconds: 0, functionName: 'f', region: 'r' },
      ...{ updatesTable: 'log', updatePollMs: 250 },
    });
  });
  for (const text of ['-1', '1.5', '5m', '86401', '1e3', ' '])
    it(`refuses ${JSON.stringify(text)} seconds`, () => {
      assert.throws(() => readEnvironment({ HAVERDICT_TTL_SECONDS: text }), /must be a whole number of seconds from 0/);
    });
});

describe('the Lambda entry', () => {
  const body = JSON.stringify({ lists: ['manual'], subjects: ['host:evil.example'] });

  it('answers from the table that its environment names, and writes its metrics as one line', async (t) => {
    const { endpoint } = await localTable(t);
    await storeAt(endpoint).put({ subject: 'host:evil.example', list: 'manual', action: 'deny' });
    const { answer, lines } = await invoked(functionEvent('POST', '/v1/check', body), endpoint);
    assert.equal(answer.statusCode, 200);
    assert.equal(JSON.parse(answer.body).verdicts[0].entry.action, 'deny');
    assert.equal(JSON.parse(answer.body).ttl, 7);
    assert.equal(lines.length, 1);
    const { FunctionName, Failures, matches, requestId } = lines[0] ?? {};
    assert.deepEqual([FunctionName, Failures, matches, requestId], ['check', 0, 1, 'request-1']);
  });

  it('reaches for the table before it is called', async (t) => {
    const table = await localTable(t);
    const operations = new Set<string>(); // on a busy machine it may reach for it twice
    const endpoint = await faultyTable(t, table.endpoint, ({ operation }) => void operations.add(operation));
    await invoked(undefined, endpoint);
    assert.deepEqual([...operations], ['BatchGetItem']);
  });

  it('starts without a table, logs that, and answers 503', async () => {
    const { answer, lines } = await invoked(functionEvent('POST', '/v1/check', body), 'http://127.0.0.1:1');
    assert.equal(answer.statusCode, 503);
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [
        ['WARN', 'table not reached at startup'],
        [undefined, undefined],
        ['ERROR', 'store failed'],
      ],
    );
    assert.equal(lines[2]?.requestId, 'request-1');
  });
});

/** Runs the entry in a process of its own, as Lambda does, with Lambda's environment and nothing else. */
async function invoked(event: object | undefined, endpoint: string) {
  const entry = new URL('../../../functions/check/lambda.ts', import.meta.url).href;
  const script = `const { handler } = await import(${JSON.stringify(entry)});
    const event = ${JSON.stringify(event ?? null)};
    if (event !== null) process.stderr.write(JSON.stringify(await handler(event)));`;
  const env = {
    ...{
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_LAMBDA_FUNCTION_NAME: 'check',
    },
    ...{ HAVERDICT_TABLE: 'haverdict', HAVERDICT_TTL_SECONDS: '7', AWS_ENDPOINT_URL_DYNAMODB: endpoint },
  };
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  const lines: Record<string, unknown>[] = run.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return { answer: JSON.parse(run.stderr || 'null'), lines };
}
