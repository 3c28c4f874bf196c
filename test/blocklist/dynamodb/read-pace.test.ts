import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dynamoBlocklist } from '../../../blocklist/dynamodb/blocklist.ts';
import { LOCAL_ACCESS } from '../../../blocklist/dynamodb/local-access.ts';
import { ReadPace } from '../../../blocklist/dynamodb/read-pace.ts';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { localTable } from '../../support/local-table.ts';

/** Units a second. */
const PACE = 50;

describe('reads of commands', () => {
  it('keep to their share of the read units, as the answers count them', async (t) => {
    const { endpoint, tableName } = await localTable(t);
    let nowMs = 1000;
    const readPace = new ReadPace(
      PACE,
      () => nowMs,
      async (ms) => {
        nowMs += ms;
      },
    );
    const client = { endpoint, ...LOCAL_ACCESS };
    const timeouts = { connectTimeoutMs: 1000, requestTimeoutMs: 10_000 };
    const store = dynamoBlocklist({ table: tableName, ...timeouts, client, readPace });
    const entries = Array.from(
      { length: 300 },
      (_, n): StoredEntry => ({ subject: `key:${n}`, list: 'a', action: 'deny' }),
    );
    await store.bulk.put(entries);
    const secondsOf = async (read: () => Promise<unknown>) => {
      const from = nowMs;
      await read();
      await store.bulk.read(entries.slice(0, 1)); // it waits for what is not yet paid for
      return (nowMs - from) / 1000;
    };
    for (let at = 0; at < 300; at += 100)
      assert.equal(await secondsOf(() => store.bulk.read(entries.slice(at, at + 100))), at === 0 ? 2 : 2.02);
    assert.ok((await secondsOf(() => Array.fromAsync(store.bulk.scan()))) > 0.02);
    assert.ok((await secondsOf(() => Array.fromAsync(store.entries.ofList('a')))) > 0.02);
  });

  it('keep to the share of the table once they have read much, which they ask for once', async () => {
    let nowMs = 0;
    let asked = 0;
    const wait = async (ms: number) => {
      nowMs += ms;
    };
    const unitsPerSecond = async () => {
      asked++;
      return 1000;
    };
    const pace = new ReadPace(PACE, () => nowMs, wait, { afterUnits: 100, unitsPerSecond });
    const read = () => pace.read(async () => 50, Number);
    await read();
    await read();
    await Promise.all([read(), read()]);
    assert.equal(nowMs, 2000);
    for (let at = 0; at < 20; at++) await read();
    assert.deepEqual([nowMs, asked], [2000 + 21 * 50, 1]);
  });
});
