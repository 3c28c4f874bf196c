import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { dynamoBlocklist } from '../../../blocklist/dynamodb/blocklist.ts';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { type Fault, faultyTable, type TableRequest } from '../../support/faulty-table.ts';
import { localTable } from '../../support/local-table.ts';

const ENTRIES: readonly StoredEntry[] = Array.from({ length: 300 }, (_, index) => ({
  ...{ subject: `key:${index}`, list: 'feed', action: 'deny' },
}));
const THROTTLED = {
  status: 400,
  body: { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow down' },
};

describe('dynamoBlocklist, where DynamoDB cannot keep up', () => {
  it('loses no entry that was left unprocessed, and counts each once', async (t) => {
    const { store, waits } = await faultyStore(t, leavingOnce());
    let written = 0;
    assert.equal(await store.bulk.put(ENTRIES, { written: (count) => (written += count) }), ENTRIES.length);
    assert.equal(written, ENTRIES.length);
    assert.equal((await store.bulk.read(ENTRIES)).length, ENTRIES.length);
    assert.ok(waits.length > 0);
  });

  it('loses no entry of a call that was throttled', async (t) => {
    let calls = 0;
    const { store } = await faultyStore(t, ({ operation }) =>
      operation === 'BatchWriteItem' && calls++ % 2 === 0 ? THROTTLED : undefined,
    );
    assert.equal(await store.bulk.put(ENTRIES), ENTRIES.length);
    assert.equal((await store.bulk.read(ENTRIES)).length, ENTRIES.length);
  });

  it('waits longer each time that nothing was written, then gives up and says so', async (t) => {
    const { store, waits } = await faultyStore(t, ({ operation }) =>
      operation === 'BatchWriteItem' ? THROTTLED : undefined,
    );
    const problem = /^StoreError: write on table haverdict left 3 undone after 12 tries: DynamoDB is throttling$/;
    await assert.rejects(store.bulk.put(ENTRIES.slice(0, 3)), problem);
    const within = (ms: number, index: number) => {
      const middle = Math.min(100 * 2 ** index, 5000);
      return ms >= middle / 2 && ms <= middle * 1.5;
    };
    assert.equal(waits.length, 11);
    assert.ok(waits.every(within), String(waits));
  });

  it('takes nothing more from its source after a call has failed, and closes it', async (t) => {
    const denied = { status: 400, body: { __type: 'x#AccessDeniedException', message: 'not allowed' } };
    const { store } = await faultyStore(t, ({ operation }) => (operation === 'BatchWriteItem' ? denied : undefined));
    let [taken, isClosed] = [0, false];
    function* endless() {
      try {
        for (;;) yield { subject: `key:${taken++}`, list: 'feed', action: 'deny' as const };
      } finally {
        isClosed = true;
      }
    }
    await assert.rejects(store.bulk.put(endless()), /the credentials lack a permission: not allowed/);
    assert.ok(taken < 1000, `${taken} taken`);
    assert.ok(isClosed);
  });

  it('reads again what was left unread', async (t) => {
    const { store } = await faultyStore(t, leavingUnread());
    await store.bulk.put(ENTRIES);
    assert.equal((await store.bulk.read(ENTRIES)).length, ENTRIES.length);
  });
});

async function faultyStore(t: TestContext, fault: Fault) {
  const table = await localTable(t);
  const endpoint = await faultyTable(t, table.endpoint, fault);
  const waits: number[] = [];
  const place = { table: 'haverdict', connectTimeoutMs: 1000, requestTimeoutMs: 5000 };
  const client = { endpoint, maxAttempts: 1, ...LOCAL_ACCESS };
  const store = dynamoBlocklist({ ...place, client }, async (ms) => {
    waits.push(ms);
  });
  return { store, waits };
}

/** Every call comes back wholly undone the first time. */
function leavingOnce(): Fault {
  const seen = new Set<string>();
  return ({ operation, body }: TableRequest) => {
    const requests = body.RequestItems?.haverdict;
    const name = JSON.stringify(requests);
    if (operation !== 'BatchWriteItem' || seen.has(name)) return undefined;
    seen.add(name);
    return { status: 200, body: { UnprocessedItems: { haverdict: requests } } };
  };
}

function leavingUnread(): Fault {
  let left = false;
  return ({ operation, body }) => {
    if (operation !== 'BatchGetItem' || left) return undefined;
    left = true;
    const { Keys } = body.RequestItems.haverdict;
    return { status: 200, body: { Responses: {}, UnprocessedKeys: { haverdict: { Keys } } } };
  };
}
