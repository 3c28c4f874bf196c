import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { DynamoEntries } from '../../../blocklist/dynamodb/entries.ts';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { type Key, StoreError } from '../../../blocklist/store.ts';
import { type Fault, faultyTable, type TableRequest } from '../../support/faulty-table.ts';
import { localTable, storeAt } from '../../support/local-table.ts';

const keys: readonly Key[] = Array.from({ length: 230 }, (_, index) => ({ subject: `key:${index}`, list: 'manual' }));
const throttled = {
  status: 400,
  body: { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow down' },
};

describe('DynamoEntries.lookup', () => {
  it('asks for at most 100 keys a call, eventually consistent, and only for what can change a verdict', async (t) => {
    const { store, requests } = await faultyStore(t, () => undefined);
    await store.lookup([...keys, ...keys]);
    const asked = requests.map(({ body }) => body.RequestItems.haverdict);
    assert.deepEqual(asked.map((request) => request.Keys.length).sort(), [100, 100, 30]);
    for (const request of asked) {
      assert.ok(!request.ConsistentRead);
      const read = Object.values(request.ExpressionAttributeNames).sort();
      assert.deepEqual(read, ['action', 'expiresAt', 'list', 'reason', 'status', 'subject', 'vars']);
    }
  });

  it('asks again for keys that DynamoDB left unprocessed', async (t) => {
    const { store, requests } = await faultyStore(t, leavingOnce('key:7'));
    await store.put({ subject: 'key:7', list: 'manual', action: 'deny' });
    const found = await store.lookup(keys.slice(0, 10));
    const items = [{ subject: 'key:7', list: 'manual', action: 'deny' }];
    assert.deepEqual(found, { items, unread: [], throttles: 1 });
    const sizes = requests
      .filter((request) => request.operation === 'BatchGetItem')
      .map((request) => request.body.RequestItems.haverdict.Keys.length);
    assert.deepEqual(sizes, [10, 10]);
  });

  it('gives up on keys that stay unprocessed, after four calls', async (t) => {
    const { store, requests } = await faultyStore(t, ({ body }) => unprocessed(body.RequestItems.haverdict.Keys));
    const { unread, throttles, failure } = await store.lookup(keys.slice(0, 3));
    assert.deepEqual([unread, throttles, requests.length], [keys.slice(0, 3), 4, 4]);
    assert.match(failure?.message ?? '', /left 3 keys unread: DynamoDB is throttling$/);
  });

  it('keeps what the other calls brought when one fails', async (t) => {
    const { store } = await faultyStore(t, ({ operation, body }) => {
      const failing = operation === 'BatchGetItem' && asksFor(body, 'key:0');
      return failing ? throttled : undefined;
    });
    await store.put({ subject: 'key:150', list: 'manual', action: 'deny' });
    const { items, unread, throttles, failure } = await store.lookup(keys);
    assert.equal(throttles, 1);
    assert.deepEqual(
      items.map((item) => item.subject),
      ['key:150'],
    );
    assert.deepEqual(unread, keys.slice(0, 100));
    assert.match(failure?.message ?? '', /ProvisionedThroughputExceededException: slow down$/);
  });

  it('says of every key that it was not read, and counts every throttled attempt', async (t) => {
    const { store } = await faultyStore(t, () => throttled);
    const { unread, throttles, failure } = await store.lookup(keys);
    assert.deepEqual([unread.length, throttles], [keys.length, 3]);
    assert.match(failure?.message ?? '', /^lookup on table haverdict at http:.* slow down$/);
  });

  it('counts no throttle where something else failed', async () => {
    assert.equal((await storeAt('http://127.0.0.1:1').lookup(keys)).throttles, 0);
  });

  it('keeps its connections, and opens no more than it uses at once', async (t) => {
    const table = createHttpServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end('{"Responses":{"haverdict":[]}}');
    }).listen(0, '127.0.0.1');
    await once(table, 'listening');
    t.after(() => void table.close(() => {}).closeAllConnections());
    let connections = 0;
    table.on('connection', () => connections++);
    const store = storeAt(`http://127.0.0.1:${(table.address() as AddressInfo).port}`); // a listening TCP server has one
    for (let call = 0; call < 5; call++) await store.lookup(keys.slice(0, 10));
    assert.equal(connections, 1);
  });
});

describe('a StoreError', () => {
  it('names the table that is not there, and where', async (t) => {
    const { endpoint } = await localTable(t);
    const message = `put on table nope at ${endpoint} failed: table nope does not exist there: deploy it, or name another table, region or endpoint`;
    await assert.rejects(storeAt(endpoint, 'nope').put({ subject: 'key:a', list: 'manual', action: 'deny' }), {
      message,
    });
  });

  it('names the endpoint where nothing answers', async () => {
    const problem = isStoreError(/at http:\/\/127.0.0.1:1 failed: connection failed \(ECONNREFUSED\)/);
    await assert.rejects(storeAt('http://127.0.0.1:1').remove({ subject: 'key:a', list: 'manual' }), problem);
  });

  it('says when there was no answer in time', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => void silent.close());
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`; // a listening TCP server has one
    const client = { endpoint, maxAttempts: 1, ...LOCAL_ACCESS };
    const store = new DynamoEntries({ table: 'haverdict', connectTimeoutMs: 1000, requestTimeoutMs: 50, client });
    assert.match((await store.lookup(keys)).failure?.message ?? '', /failed: no answer in time$/);
  });

  it('says which credentials would help where there are none', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('Could not load'), { name: 'CredentialsProviderError' });
    };
    const client = { region: 'eu-west-1', credentials };
    const store = new DynamoEntries({ table: 'haverdict', connectTimeoutMs: 1, requestTimeoutMs: 1, client });
    const { failure } = await store.lookup(keys);
    assert.match(failure?.message ?? '', /at eu-west-1 failed: no AWS credentials found: set AWS_PROFILE/);
  });
});

async function faultyStore(t: TestContext, fault: Fault) {
  const requests: TableRequest[] = [];
  const table = await localTable(t);
  const endpoint = await faultyTable(t, table.endpoint, (request) => {
    requests.push(request);
    return fault(request);
  });
  return { store: storeAt(endpoint), requests };
}

/** The first lookup comes back with everything undone. */
function leavingOnce(subject: string): Fault {
  let left = false;
  return ({ operation, body }) => {
    if (operation !== 'BatchGetItem' || left || !asksFor(body, subject)) return undefined;
    left = true;
    return unprocessed(body.RequestItems.haverdict.Keys);
  };
}

function unprocessed(Keys: readonly object[]) {
  return { status: 200, body: { Responses: { haverdict: [] }, UnprocessedKeys: { haverdict: { Keys } } } };
}

function asksFor(body: TableRequest['body'], subject: string): boolean {
  return body.RequestItems.haverdict.Keys.some((key: { subject: { S: string } }) => key.subject.S === subject);
}

function isStoreError(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreError);
    assert.match(error.message, message);
    return true;
  };
}
