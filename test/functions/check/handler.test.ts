import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../../../blocklist/store.ts';
import { CheckResponse } from '../../../contract/check.ts';
import { createHandler } from '../../../functions/check/handler.ts';
import type { FunctionUrlEvent } from '../../../functions/check/http.ts';
import { functionEvent } from '../../support/function-event.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const good = JSON.stringify({ lists: ['manual'], subjects: ['ip:203.0.113.7'] });

describe('the handler', () => {
  it('answers a check as the contract says', async () => {
    const { statusCode, body } = await asked(functionEvent('POST', '/v1/check', good));
    assert.equal(statusCode, 200);
    const verdicts = [
      { subject: 'ip:203.0.113.7', entry: { subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny' } },
    ];
    assert.deepEqual(CheckResponse.parse(body), { verdicts, ttl: 60 });
  });

  it('reads a body in base64', async () => {
    const event = functionEvent('POST', '/v1/check', Buffer.from(good).toString('base64'));
    assert.equal((await asked({ ...event, isBase64Encoded: true })).statusCode, 200);
  });

  it('ignores fields of a later version', async () => {
    const later = JSON.stringify({ lists: ['manual'], subjects: ['host:a'], colour: 'red' });
    assert.equal((await asked(functionEvent('POST', '/v1/check', later))).statusCode, 200);
  });

  it('says that it is healthy', async () => {
    const { statusCode, body } = await asked(functionEvent('GET', '/v1/health'));
    assert.deepEqual([statusCode, body], [200, { status: 'ok' }]);
  });

  it('knows no other path', async () => {
    for (const path of ['/', '/v1/check/', '/v1', 'toString', '/v1/health/x'])
      assert.equal((await asked(functionEvent('GET', path))).statusCode, 404);
  });

  it('names the method that a path takes', async () => {
    const { statusCode, headers, body } = await asked(functionEvent('GET', '/v1/check'));
    assert.deepEqual([statusCode, headers?.allow, body.error], [405, 'POST', '/v1/check takes POST']);
    assert.equal((await asked(functionEvent('POST', '/v1/health'))).headers?.allow, 'GET');
  });

  const wrong: readonly (readonly [string, string | undefined, string])[] = [
    ['no body', undefined, 'the body is empty, it must be JSON'],
    ['what is not JSON', '{"lists":', 'the body is not JSON'],
    ['a body that is not an object', '[]', 'it must be an object, not an array'],
    ['no lists', '{"subjects":["host:a"]}', 'lists is missing'],
    ['no list in lists', '{"lists":[],"subjects":["host:a"]}', 'lists must have at least 1 of them'],
    [
      'an invalid list name',
      '{"lists":["m","A B"],"subjects":["host:a"]}',
      'lists[1] must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit',
    ],
    [
      'a subject that is not a string',
      '{"lists":["m"],"subjects":["host:a",7]}',
      'subjects[1] must be a string, not 7',
    ],
    [
      'too many subjects',
      JSON.stringify({ lists: ['m'], subjects: Array(101).fill('host:a') }),
      'subjects must have at most 100 of them',
    ],
  ];
  for (const [what, body, error] of wrong)
    it(`refuses ${what}`, async () => {
      const answer = await asked(functionEvent('POST', '/v1/check', body));
      assert.deepEqual([answer.statusCode, answer.body], [400, { error }]);
    });

  for (const [what, subject] of [
    ['in upper case', 'host:A'],
    ['that is a bare address', '192.0.2.1'],
    ['that is a network with host bits', 'ip:192.0.2.1/24'],
    ['without a value', 'host:'],
    ['of a kind that only a newer agent knows', 'moon:full'],
  ])
    it(`answers an error for a subject ${what}, and its neighbour all the same`, async () => {
      const body = JSON.stringify({ lists: ['m'], subjects: [subject, 'ip:192.0.2.1'] });
      const answer = await asked(functionEvent('POST', '/v1/check', body));
      assert.equal(answer.statusCode, 200);
      const { verdicts } = answer.body as { verdicts: { error?: string; entry?: null }[] }; // a check's answer
      assert.match(verdicts[0]?.error ?? '', /canonical/);
      assert.equal(verdicts[1]?.entry, null);
    });

  it('refuses a body above 256 KiB, and takes one of just that', async () => {
    const padded = (length: number) => functionEvent('POST', '/v1/check', good.padEnd(length));
    assert.equal((await asked(padded(256 * 1024))).statusCode, 200);
    assert.equal((await asked(padded(256 * 1024 + 1))).statusCode, 413);
  });

  it('answers 503 without a word about the inside when the store fails, and logs the cause', async () => {
    const store = new MemoryStore();
    store.lookup = async () => {
      throw new StoreError('lookup on table secret-name failed');
    };
    const { statusCode, body, lines } = await asked(functionEvent('POST', '/v1/check', good), store);
    assert.deepEqual([statusCode, body], [503, { error: 'the blocklist is unavailable' }]);
    assert.deepEqual(lines, [
      ['error', 'store failed', { requestId: 'request-1', problem: 'lookup on table secret-name failed' }],
    ]);
  });

  it('answers 429 when the store throttles, so that the agent asks less often and does not take it for a failure', async () => {
    const store = new MemoryStore();
    const failure = new StoreError('DynamoDB is throttling', { isThrottled: true });
    store.lookup = async (keys) => ({ items: [], unread: keys, throttles: 4, failure });
    const { statusCode, body, lines } = await asked(functionEvent('POST', '/v1/check', good), store);
    assert.deepEqual([statusCode, body], [429, { error: 'the blocklist is throttled: send fewer calls' }]);
    assert.deepEqual(lines, [['error', 'store failed', { requestId: 'request-1', problem: 'DynamoDB is throttling' }]]);
  });

  it('answers 500 without a word about the inside when anything else fails', async () => {
    const store = new MemoryStore();
    store.lookup = async () => {
      throw new TypeError('secret is undefined');
    };
    const { statusCode, body, lines } = await asked(functionEvent('POST', '/v1/check', good), store);
    assert.deepEqual([statusCode, body], [500, { error: 'internal error' }]);
    assert.match(JSON.stringify(lines), /TypeError: secret is undefined/);
  });
});

async function asked(event: FunctionUrlEvent, store = storeWithOneNetwork()) {
  const lines: unknown[] = [];
  const log = (...line: unknown[]) => void lines.push(line);
  const handler = createHandler({ store, log, clock: () => 0, ttlSeconds: 60 });
  const answer = await handler(event);
  assert.equal(answer.headers?.['content-type'], 'application/json');
  return { ...answer, body: JSON.parse(answer.body ?? ''), lines };
}

function storeWithOneNetwork(): MemoryStore {
  const store = new MemoryStore();
  store.type({ subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny' });
  return store;
}
