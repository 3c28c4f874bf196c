import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DynamoDBRecord } from 'aws-lambda';
import { DynamoBulk } from '../../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../../blocklist/dynamodb/connection.ts';
import { DynamoEntries } from '../../../blocklist/dynamodb/entries.ts';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { StoreError } from '../../../blocklist/store.ts';
import { RESERVED } from '../../../blocklist/table.ts';
import { MAX_VARS_BYTES } from '../../../contract/entry-vars.ts';
import { createWriter } from '../../../functions/update-writer/handler.ts';
import { DynamoLog } from '../../../updates/dynamodb/log.ts';
import { RECORD_LIMITS, unpack } from '../../../updates/record.ts';
import { describeOnEveryEngine } from '../../support/engines.ts';
import { updatesTableBeside } from '../../support/updates-table.ts';

const REGION = 'eu-west-1';
const NOW_MS = 1_790_000_000_000;

describeOnEveryEngine('the writer of updates', async (place) => {
  const blocklist = new DynamoConnection(place);
  const [entries, bulk] = [new DynamoEntries(blocklist), new DynamoBulk(blocklist)];
  const log = new DynamoLog(await updatesTableBeside(place));
  const lines: string[] = [];
  const measured: number[] = [];
  let ids = 0;
  const writer = (table: Pick<DynamoBulk, 'read'> = bulk) =>
    createWriter({
      ...{ region: REGION, table, log, clock: () => NOW_MS, newId: () => `i${++ids}` },
      write: (level, message) => lines.push(`${level} ${message}`),
      measure: (badEntries) => measured.push(badEntries),
    });
  const event = (...keys: readonly (readonly [subject: string, list: string])[]) => ({
    Records: keys.map(([subject, list]) => streamRecord(subject, list)),
  });
  const newest = async () => {
    const tail = await log.tail();
    return { ...tail, changes: tail && unpack(tail) };
  };

  it('appends what the item says now, not what the event said', async () => {
    await entries.put({ subject: 'ip:192.0.2.1', list: 'manual', action: 'deny', reason: 'new', note: 'for people' });
    await writer()(event(['ip:192.0.2.1', 'manual'], ['ip:192.0.2.2', 'manual'], ['ip:192.0.2.1', 'manual']));
    const entry = { subject: 'ip:192.0.2.1', list: 'manual', action: 'deny', reason: 'new' };
    assert.deepEqual((await newest()).changes, [
      { key: { subject: 'ip:192.0.2.1', list: 'manual' }, entry },
      { key: { subject: 'ip:192.0.2.2', list: 'manual' }, entry: null },
    ]);
  });

  it('appends what a typed item means under the key that it has, and says it in the log once', async () => {
    const typed = [
      { subject: 'IP:192.0.2.3/32', list: 'manual', action: 'Block' },
      { subject: 'ip:nowhere', list: 'manual', action: 'deny' },
      { subject: '192.0.2.4', list: 'manual', action: 'allow' },
    ];
    await bulk.put(typed as unknown as StoredEntry[]); // as a person would
    const events = event(...typed.map(({ subject, list }) => [subject, list] as const));
    const write = writer();
    for (let time = 0; time < 2; time++) await write(events);
    assert.deepEqual(
      (await newest()).changes?.map(({ key, entry }) => [key.subject, entry?.subject, entry?.action]),
      [
        ['IP:192.0.2.3/32', 'ip:192.0.2.3', 'deny'],
        ['ip:nowhere', undefined, undefined],
        ['192.0.2.4', undefined, undefined],
      ],
    );
    assert.deepEqual(measured.splice(0), [3, 3]);
    const reported = lines.filter((line) => line.startsWith('warn')).sort();
    assert.deepEqual(reported, [
      'warn entry read as it is meant',
      'warn invalid entry ignored',
      'warn invalid entry ignored',
    ]);
  });

  it('leaves out what no agent asks for: the records of tools, lists without a name that can be one, other regions', async () => {
    const { number } = await newest();
    await writer()(
      event(
        ['@lists', '@manual'],
        ['@history:manual', '2026'],
        ['ip:192.0.2.1', 'Not A List'],
        [RESERVED.canaryOf('us-east-1', '3'), '@canary'],
      ),
    );
    assert.equal((await newest()).number, number);
  });

  it('says of an item in a list without a name that can be one that it is no entry, but not when it is removed', async () => {
    lines.splice(0);
    measured.splice(0);
    const { Records } = event(['ip:192.0.2.1', 'Not A List']);
    await writer()({ Records: Records.map((record) => ({ ...record, eventName: 'REMOVE' as const })) });
    assert.deepEqual([lines, measured], [[], []]);
    await writer()({ Records });
    assert.deepEqual([lines, measured], [['warn invalid entry ignored'], [1]]);
  });

  it('appends canaries without changes, with the time of the event', async () => {
    await writer()(event([RESERVED.canaryOf(REGION, '3'), '@canary'], [RESERVED.canaryOf(REGION, '5'), '@canary']));
    const { batch, changes } = await newest();
    assert.deepEqual([batch, changes], [{ 3: NOW_MS - 1000, 5: NOW_MS - 1000 }, []]);
  });

  it('takes 500 of the largest legal entries, in as many records as the limits ask for', async () => {
    const before = (await newest()).number ?? 0;
    const large = Array.from({ length: 500 }, (_, index) => largest(index));
    await bulk.put(large);
    await writer()(event(...large.map(({ subject, list }) => [subject, list] as const)));
    const { records } = await log.from(before + 1, { isConsistent: true });
    const changes = records.flatMap((record) => unpack(record) ?? assert.fail('not readable'));
    assert.deepEqual(changes.map(({ entry }) => entry?.subject).sort(), large.map(({ subject }) => subject).sort());
    assert.ok(records.length > 5);
    for (const { packed } of records) assert.ok(packed.length <= RECORD_LIMITS.packedBytes, `${packed.length} bytes`);
  });

  it('throws if the table cannot be read, so that the batch comes again, and appends nothing', async () => {
    const { number } = await newest();
    const broken = { read: () => Promise.reject(new StoreError('throttled')) };
    await assert.rejects(writer(broken)(event(['ip:192.0.2.1', 'manual'])), /throttled/);
    assert.equal((await newest()).number, number);
    assert.ok(lines.includes('error changes not appended, the batch comes again'));
  });
});

function streamRecord(subject: string, list: string): DynamoDBRecord {
  return {
    eventSourceARN: 'arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000',
    dynamodb: {
      Keys: { subject: { S: subject }, list: { S: list } },
      ApproximateCreationDateTime: NOW_MS / 1000 - 1,
    },
  };
}

/** An entry that could hardly be longer, of text that gzip does not shorten much. */
function largest(index: number): StoredEntry {
  const noise = (length: number, seed: number) => {
    let state = seed + index * 7919 + 1;
    return Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return 'abcdefghijklmnopqrstuvwxyz0123456789'[(state >>> 16) % 36];
    }).join('');
  };
  const value = noise(MAX_VARS_BYTES - 'req.set.x-a'.length - 8, 3);
  return {
    ...{
      subject: `ua:${noise(1000, 1)}`,
      list: 'manual',
      action: 'tag',
      reason: noise(200, 2),
      expiresAt: 2_000_000_000,
    },
    vars: { 'req.set.x-a': value },
  };
}
