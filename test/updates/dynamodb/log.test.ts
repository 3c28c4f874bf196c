import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DynamoBulk } from '../../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../../blocklist/dynamodb/connection.ts';
import { RESERVED } from '../../../blocklist/table.ts';
import { CANARY_LIST } from '../../../updates/canary.ts';
import { DynamoCanaries } from '../../../updates/dynamodb/canaries.ts';
import { DynamoLog } from '../../../updates/dynamodb/log.ts';
import { type LogRecord, pack, unpack } from '../../../updates/record.ts';
import { describeOnEveryEngine } from '../../support/engines.ts';
import { updatesTableBeside } from '../../support/updates-table.ts';

const CHANGES = [{ key: { subject: 'ip:192.0.2.1', list: 'manual' }, entry: null }];

describeOnEveryEngine('the log in DynamoDB', async (place) => {
  const log = new DynamoLog(await updatesTableBeside(place));
  const blocklist = new DynamoConnection(place);

  it('is empty, then has what was put, all of it', async () => {
    assert.equal(await log.tail(), undefined);
    assert.deepEqual(await log.from(1, { isConsistent: true }), { records: [], isAll: true });
    assert.equal(await log.put(record(1)), true);
    const tail = await log.tail();
    assert.deepEqual({ ...tail, packed: undefined }, { ...record(1), packed: undefined });
    assert.deepEqual(tail && unpack(tail), CHANGES);
  });

  it('takes one of many records with the same number', async () => {
    const puts = await Promise.all(Array.from({ length: 8 }, (_, index) => log.put({ ...record(2), id: `w${index}` })));
    assert.equal(puts.filter((isFirst) => isFirst).length, 1);
    assert.equal((await log.tail())?.id, `w${puts.indexOf(true)}`);
  });

  it('goes on from any number in order, also where numbers get longer', async () => {
    for (const number of [3, 9, 10, 11, 100]) await log.put(record(number));
    const { records } = await log.from(3, { isConsistent: true });
    assert.deepEqual(
      records.map(({ number }) => number),
      [3, 9, 10, 11, 100],
    );
    assert.equal((await log.tail())?.number, 100);
  });

  it('says when a read is not all', async () => {
    const large = pack(
      Array.from({ length: 400 }, (_, n) => ({ key: { subject: `host:${noise(n)}`, list: 'a' }, entry: null })),
    );
    const [{ packed } = { packed: new Uint8Array() }] = large;
    for (let number = 200; number < 250; number++) await log.put({ ...record(number), packed });
    const { records, isAll } = await log.from(200, { isConsistent: false });
    assert.ok(records.length < 50 && !isAll, `${records.length} records of ${packed.length} bytes`);
    assert.equal(records[0]?.number, 200);
  });

  it('has canaries written once in a while, however many ask for it', async () => {
    const canaries = new DynamoCanaries(blocklist, 'eu-west-1', 'updates');
    await canaries.write(['1', '2'], 1000);
    await canaries.write(['1', '2'], 5000, 1000);
    const key = (canary: string) => ({ subject: RESERVED.canaryOf('eu-west-1', canary), list: CANARY_LIST });
    const atOf = async () => (await new DynamoBulk(blocklist).read([key('1'), key('2')])).map(({ at }) => at);
    assert.deepEqual(await atOf(), [1000, 1000]);
    await canaries.write(['1', '2'], 5000, 1001);
    assert.deepEqual(await atOf(), [5000, 5000]);
  });
});

function record(number: number): LogRecord {
  const [{ packed } = { packed: new Uint8Array() }] = pack(CHANGES);
  const head = {
    number,
    id: `i${number}`,
    base: 'b',
    stream: '2026-01-01T00:00:00.000',
    triedMs: 5,
    checkedMs: 6,
    changes: 7,
  };
  return { ...head, beats: { 3: 1_790_000_000_000 }, batch: { 7: 1 }, packed, expiresAt: 1_790_000_000 };
}

/** Text that gzip cannot shorten much. */
function noise(seed: number): string {
  let state = seed + 1;
  return Array.from({ length: 100 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8).toString(36);
  }).join('');
}
