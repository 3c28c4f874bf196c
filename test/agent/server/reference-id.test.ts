import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { referenceAction } from '../../../agent/server/encode-decision.ts';
import { DynamicReference, ReferenceIds } from '../../../agent/server/reference-id.ts';
import { encodeActions } from '../../../spop/ack.ts';
import { referenceOf } from '../../support/reference.ts';
import { parseActions, str } from '../../support/spop/naive-codec.ts';

const TARGET = { scope: 'txn', vars: new Map() } as const;
const start = fc.oneof(
  fc.uint8Array({ minLength: 12, maxLength: 12 }),
  fc.nat(12).map((zeros) => Uint8Array.from({ length: 12 }, (_, index) => (index < zeros ? 0 : 31))),
);

describe('reference ids', () => {
  it('count up from any number, and from the last one to the first', () => {
    fc.assert(
      fc.property(start, fc.nat(3000), (from, count) => {
        const references = new ReferenceIds(from);
        for (let time = 0; time < count; time++) references.advance();
        assert.equal(references.text, referenceOf(from, count));
      }),
    );
  });

  it('begin elsewhere in each process, with digits that are not mistaken for each other', () => {
    const texts = Array.from({ length: 1000 }, () => new ReferenceIds().text);
    assert.equal(new Set(texts.map((text) => text.slice(0, 6))).size, 1000);
    assert.equal([...new Set(texts.join(''))].sort().join(''), '0123456789abcdefghjkmnpqrstvwxyz');
  });

  it('are written as they are at that time, or as they were when they were copied', () => {
    const references = new ReferenceIds(new Uint8Array(12));
    const dynamic = new DynamicReference(encodeActions([referenceAction({ ...TARGET, group: 'login' })]), references);
    const kept = dynamic.copy();
    references.advance();
    for (const [one, ref] of [
      [dynamic, '000000000001'],
      [kept, '000000000000'],
    ] as const) {
      const out = new Uint8Array(100);
      const end = one.write(out, 7);
      assert.equal(end, 7 + one.maxBytes);
      assert.deepEqual(parseActions(out.subarray(7, end)), [
        { type: 'set-var', scope: 'txn', name: 'login.ref', value: str(ref) },
      ]);
    }
  });
});
