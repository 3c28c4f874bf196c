import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { Mirror } from '../../../agent/mirror/mirror.ts';
import type { Change } from '../../../contract/updates.ts';
import { Fold } from '../../../updates/fold.ts';
import { describeNewer } from '../../support/scope.ts';

const LIST = 'manual';
const TEXT = 'x'.repeat(4000);

function changeOf(n: number, more: object): Change {
  const subject = `ip:10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  const entry = { subject, list: LIST, action: 'deny' as const, reason: `no ${n}`, ...more };
  return { key: { subject, list: LIST }, entry };
}

describeNewer('what a mirror has no room for', () => {
  it('is of classes: the action is kept, the backend has to be asked for the rest, and the sum is right', () => {
    const mirror = new Mirror({ lists: [LIST] }, 10_000);
    const fold = new Fold();
    const apply = (change: Change) => {
      mirror.apply(change);
      fold.apply(change);
    };
    for (let n = 0; n < 6000; n++) apply(changeOf(n, { later: TEXT }));
    apply(changeOf(7000, { later: TEXT + TEXT }));
    assert.ok(mirror.bytes < 48 * 1024 * 1024, `${mirror.bytes} bytes`);
    const known = [0, 5999, 7000].map((n) => {
      const { address = new Address() } = LookupSubject.parse(changeOf(n, {}).key.subject);
      const { live, stale } = mirror.lookupAddress(address, 0);
      return [live?.reason, stale?.action, stale?.reason];
    });
    assert.deepEqual(known, [
      ['no 0', 'deny', 'no 0'],
      [undefined, 'deny', undefined],
      [undefined, 'deny', undefined],
    ]);
    const sum = () => [mirror.sumOf(LIST), [...runOf(mirror.recompute())]];
    assert.deepEqual(sum(), [fold.states[LIST], []]);
    for (let n = 0; n < 6000; n++)
      apply(n % 3 === 0 ? { ...changeOf(n, {}), entry: null } : changeOf(n, { status: 451 }));
    assert.deepEqual(sum(), [fold.states[LIST], []]);
    assert.ok(mirror.bytes < 8 * 1024 * 1024, `${mirror.bytes} bytes`);
  });

  it('is of a kind: the backend is asked about all of it, and the list has no sum', () => {
    const mirror = new Mirror({ lists: [LIST] }, 1_000_000);
    const told = (text: string) => mirror.lookup(text, 0);
    const add = (subject: string) =>
      mirror.apply({ key: { subject, list: LIST }, entry: { subject, list: LIST, action: 'deny' } });
    for (let n = 0; n < 100_000; n++) add(`ua:${n}`);
    assert.equal(told('ua:other').live?.action, 'allow');
    assert.equal(mirror.sumOf(LIST)?.count, 100_000);
    add('ua:one more');
    assert.equal(mirror.sumOf(LIST), undefined);
    assert.deepEqual(told('ua:other'), { live: undefined, stale: undefined });
    assert.deepEqual([told('ua:7').live, told('ua:7').stale?.action], [undefined, 'deny']);
    assert.equal(told('host:a.example').live?.action, 'allow');
  });

  it('is entries over the maximum: they are refused, and it says so', () => {
    const mirror = new Mirror({ lists: [LIST] }, 3);
    for (let n = 0; n < 3; n++) mirror.apply(changeOf(n, {}));
    mirror.apply(changeOf(0, { status: 451 }));
    assert.equal(mirror.isOver, false);
    mirror.apply(changeOf(4, {}));
    assert.deepEqual([mirror.isOver, mirror.size], [true, 3]);
  });
});

function runOf<Result>(slices: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = slices.next();
    if (done === true) return value;
  }
}
