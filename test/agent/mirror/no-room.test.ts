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

  it('is the 65,536th class: the action is kept, and the next one has the room of one that is gone', () => {
    const mirror = new Mirror({ lists: [LIST] }, 100_000);
    const told = (n: number) => {
      const { address = new Address() } = LookupSubject.parse(changeOf(n, {}).key.subject);
      const { live, stale } = mirror.lookupAddress(address, 0);
      return [live?.reason, stale?.action, stale?.reason];
    };
    for (let n = 0; n < 65_536; n++) mirror.apply(changeOf(n, {}));
    assert.deepEqual([0, 65_534, 65_535].map(told), [
      ['no 0', 'deny', 'no 0'],
      ['no 65534', 'deny', 'no 65534'],
      [undefined, 'deny', undefined],
    ]);
    mirror.apply({ ...changeOf(7, {}), entry: null });
    mirror.apply(changeOf(65_536, {}));
    assert.deepEqual(told(65_536), ['no 65536', 'deny', 'no 65536']);
    assert.equal(mirror.sumOf(LIST)?.count, 65_536);
    assert.deepEqual([...runOf(mirror.recompute())], []);
  });

  it('is text over 48 MB: the backend is asked about every kind but addresses, and the list has no sum', () => {
    const mirror = new Mirror({ lists: [LIST] }, 1_000_000);
    const add = (subject: string) =>
      mirror.apply({ key: { subject, list: LIST }, entry: { subject, list: LIST, action: 'deny' } });
    let count = 0;
    for (; mirror.sumOf(LIST) !== undefined; count++) add(`${count % 2 === 0 ? 'ua' : 'path'}:${TEXT}${TEXT}${count}`);
    assert.ok(mirror.bytes > 47 * 1024 * 1024 && mirror.bytes < 49 * 1024 * 1024, `${mirror.bytes} bytes`);
    assert.equal(mirror.size, count - 1);
    assert.deepEqual(mirror.lookup('host:a.example', 0), { live: undefined, stale: undefined });
    const known = mirror.lookup(`ua:${TEXT}${TEXT}0`, 0);
    assert.deepEqual([known.live, known.stale?.action], [undefined, 'deny']);
    mirror.apply(changeOf(1, {}));
    const { address = new Address() } = LookupSubject.parse(changeOf(1, {}).key.subject);
    assert.equal(mirror.lookupAddress(address, 0).live?.action, 'deny');
  });

  it('is the 10,001st key that is not canonical: it counts as little as for the function, and the list has no sum', () => {
    const mirror = new Mirror({ lists: [LIST] }, 100_000);
    const add = (n: number) => {
      const { key, entry } = changeOf(n, {});
      mirror.apply({ key: { ...key, subject: ` ${key.subject}` }, entry });
    };
    const told = (n: number) => {
      const { address = new Address() } = LookupSubject.parse(changeOf(n, {}).key.subject);
      return mirror.lookupAddress(address, 0).live?.action;
    };
    for (let n = 0; n < 10_000; n++) add(n);
    assert.equal(mirror.sumOf(LIST)?.count, 10_000);
    add(10_000);
    assert.deepEqual([mirror.spelled, mirror.size, mirror.sumOf(LIST)], [10_000, 10_000, undefined]);
    assert.deepEqual([9999, 10_000].map(told), ['deny', 'allow']);
    assert.equal(mirror.lookup('ua:other', 0).live?.action, 'allow');
    mirror.apply(changeOf(10_000, {}));
    assert.equal(told(10_000), 'deny');
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
