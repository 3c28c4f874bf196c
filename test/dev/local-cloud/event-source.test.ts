import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { EventSource } from '../../../dev/local-cloud/event-source.ts';
import type { Written } from '../../../dev/local-cloud/write-tap.ts';
import { until } from '../../support/until.ts';

const ARN = 'arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000';

interface StreamEvent {
  readonly Records: readonly {
    readonly eventName: string;
    readonly eventSourceARN: string;
    readonly userIdentity?: object;
    readonly dynamodb: {
      readonly Keys: { readonly subject: { readonly S: string } };
      readonly NewImage?: object;
      readonly OldImage?: object;
      readonly ApproximateCreationDateTime: number;
    };
  }[];
}

describe('an event source', () => {
  it('delivers the changes of a shard in their order, and no more at a time than told', async (t) => {
    const { source, batches, subjects } = world(t, { batchSize: 3 });
    for (let n = 0; n < 40; n++) source.add(change(`s${n}`));
    await until(
      () => source.waiting === 0 && subjects().length === 40,
      () => subjects().join(),
    );
    assert.ok(batches().every((batch) => batch.length <= 3));
    for (const shard of [0, 1, 2, 3]) {
      const own = subjects().filter((subject) => source.shardOf(change(subject).keys) === shard);
      assert.ok(own.length > 1, `shard ${shard} has ${own.length}`);
      assert.deepEqual(
        own,
        own.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
      );
    }
  });

  it('says what happened, when, to the second, and by which stream', async (t) => {
    const { source, events } = world(t);
    source.add({ ...change('a'), atMs: 1_790_000_000_999 });
    source.add({ ...change('a'), before: { n: { N: '1' } }, after: undefined, isByTtl: true });
    await until(
      () => events.flat().length === 2,
      () => 'not delivered',
    );
    const [put, removed] = events.flat();
    assert.deepEqual([put?.eventName, removed?.eventName], ['INSERT', 'REMOVE']);
    assert.equal(put?.dynamodb.ApproximateCreationDateTime, 1_790_000_000);
    assert.deepEqual([put?.dynamodb.OldImage, removed?.dynamodb.NewImage], [undefined, undefined]);
    assert.deepEqual(removed?.dynamodb.OldImage, { n: { N: '1' } });
    assert.equal(put?.eventSourceARN, ARN);
    const service = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };
    assert.deepEqual([put?.userIdentity, removed?.userIdentity], [undefined, service]);
  });

  it('delivers a batch again until the function succeeds, and nothing of that shard before it', async (t) => {
    let failures = 2;
    const { source, batches } = world(t, {
      batchSize: 1,
      before() {
        if (failures-- > 0) throw new Error('no');
      },
    });
    source.add(change('a'));
    source.add({ ...change('a'), before: {} });
    await until(
      () => source.waiting === 0,
      () => 'waiting',
    );
    assert.deepEqual(batches(), [['a'], ['a'], ['a'], ['a']]);
  });

  it('delivers twice, holds a shard back, and loses what waits, where a test wants that', async (t) => {
    const { source, subjects } = world(t);
    const stalled = source.shardOf(change('a').keys);
    source.trouble = { delayMs: () => 0, deliveries: () => 2, isStalled: (shard) => shard === stalled };
    const other = ['b', 'c', 'd', 'e', 'f'].find((name) => source.shardOf(change(name).keys) !== stalled) ?? '';
    source.add(change('a'));
    source.add(change(other));
    await until(
      () => subjects().length === 2,
      () => subjects().join(),
    );
    assert.deepEqual(subjects(), [other, other]);
    assert.equal(source.waiting, 1);
    source.trim();
    source.trouble = { ...source.trouble, isStalled: () => false };
    source.add(change(other));
    await until(
      () => subjects().length === 4,
      () => subjects().join(),
    );
    assert.deepEqual([subjects().includes('a'), source.waiting], [false, 0]);
  });
});

function change(subject: string): Written {
  return {
    table: 't',
    keys: { subject: { S: subject } },
    before: undefined,
    after: {},
    atMs: Date.now(),
    isByTtl: false,
  };
}

function world(t: TestContext, { batchSize = 100, before = () => {} } = {}) {
  const events: StreamEvent['Records'][] = [];
  const source = new EventSource({
    ...{ streamArn: ARN, region: 'eu-west-1', viewType: 'NEW_AND_OLD_IMAGES', batchSize, partitionKey: 'subject' },
    invoke: async (event) => {
      events.push((event as StreamEvent).Records); // it makes nothing else
      before();
    },
  });
  source.pollMs = 1;
  t.after(() => source.close());
  const batchOf = (records: StreamEvent['Records']) => records.map(({ dynamodb }) => dynamodb.Keys.subject.S);
  return {
    ...{ source, events },
    batches: () => events.map(batchOf),
    subjects: () => events.flatMap(batchOf),
  };
}
