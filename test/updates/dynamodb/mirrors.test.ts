import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DynamoBulk } from '../../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection } from '../../../blocklist/dynamodb/connection.ts';
import { DynamoMirrors } from '../../../updates/dynamodb/mirrors.ts';
import { pacedScan } from '../../../updates/dynamodb/paced-scan.ts';
import type { Manifest } from '../../../updates/manifest.ts';
import { NO_BASE } from '../../../updates/record.ts';
import { describeOnEveryEngine } from '../../support/engines.ts';
import { updatesTableBeside } from '../../support/updates-table.ts';

const MANIFEST: Manifest = {
  id: 'a1',
  place: { base: 'b', number: 7, id: 'c' },
  ...{ changes: 5, madeMs: 1, scannedMs: 1, version: 'v', isTooLarge: false },
  lists: { manual: { count: 1, digest: '0123456789abcdef' } },
  segments: [{ n: 0, list: 'manual', digest: '0'.repeat(64), bytes: 9, entries: 1 }],
};

describeOnEveryEngine('mirrors in DynamoDB', async (place) => {
  const connection = await updatesTableBeside(place);
  const mirrors = new DynamoMirrors(connection);

  it('are none, then the one that replaced what its builder saw', async () => {
    assert.equal(await mirrors.manifest(), undefined);
    assert.equal(await mirrors.putManifest(MANIFEST, undefined), true);
    assert.deepEqual(await mirrors.manifest(), MANIFEST);
    assert.equal(await mirrors.putManifest({ ...MANIFEST, id: 'a2' }, undefined), false);
    assert.equal(await mirrors.putManifest({ ...MANIFEST, id: 'a2' }, 'a1'), true);
    assert.equal(await mirrors.putManifest({ ...MANIFEST, id: 'a3' }, 'a1'), false);
    assert.equal((await mirrors.manifest())?.id, 'a2');
  });

  it('of a later version have no base, so that they are replaced', async () => {
    const later = { ...MANIFEST, id: 'a4', segments: 'later' } as unknown as Manifest;
    assert.equal(await mirrors.putManifest(later, 'a2'), true);
    const read = await mirrors.manifest();
    assert.deepEqual([read?.id, read?.place.base], ['a4', NO_BASE]);
  });

  it('have segments by number, up to the largest', async () => {
    const large = Buffer.alloc(360 * 1024, 7);
    await mirrors.putSegment('a1', 12, large, 1_790_000_000);
    assert.deepEqual(Buffer.from((await mirrors.segment('a1', 12)) ?? []), large);
    assert.equal(await mirrors.segment('a1', 1), undefined);
    assert.equal(await mirrors.segment('a', 12), undefined);
  });

  it('have one builder at a time, until its lease ends', async () => {
    assert.equal(await mirrors.lease('one', 1000, 5000), true);
    assert.equal(await mirrors.lease('two', 4000, 9000), false);
    assert.equal(await mirrors.lease('one', 4000, 8000), true);
    assert.equal(await mirrors.lease('two', 8001, 9000), true);
  });

  it('come from a scan that has every item, no faster than its pace', async () => {
    const entries = Array.from({ length: 60 }, (_, n) => ({ subject: `ip:192.0.2.${n}`, list: 'a', action: 'deny' }));
    await new DynamoBulk(new DynamoConnection(place)).put(entries as never);
    let nowMs = 0;
    const wait = async (ms: number) => {
      nowMs += ms;
    };
    const seen: unknown[] = [];
    const pace = { unitsPerSecond: 2, clock: () => nowMs, wait };
    for await (const { subject } of pacedScan(new DynamoConnection(place), pace)) seen.push(subject);
    assert.deepEqual(seen.sort(), entries.map(({ subject }) => subject).sort());
    assert.ok(nowMs >= 1750, `${nowMs} ms for eight pages of half a unit or more`);
  });
});
