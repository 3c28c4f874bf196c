import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ExternalSort } from '../../../cli/bulk/external-sort.ts';
import { longRuns } from '../../support/scope.ts';

const text = fc.string({ unit: 'binary', maxLength: 8 }).map((drawn) => drawn.toWellFormed());
const key = fc.oneof(fc.constantFrom('', 'a', 'a b', 'a"', '\n', '\t', '\u2028', 'ab', '\ud83d\ude00', '\uffff'), text);

describe('ExternalSort', () => {
  it('yields the last value of every key, in an order that all sorters share, however few fit into memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(key, text)),
        fc.array(key),
        fc.integer({ min: 1, max: 9 }),
        async (pairs, others, room) => {
          const [sorter, another] = [new ExternalSort<string>(room), new ExternalSort<number>(7)];
          try {
            for (const [name, value] of pairs) await sorter.add(name, value);
            for (const name of others) await another.add(name, 1);
            for (let walk = 0; walk < 2; walk++) {
              const found = await all(sorter);
              const expected = [...new Map(pairs)].map(([name, value]) => `${JSON.stringify(name)} ${value}`);
              assert.deepEqual(new Set(found.map((one) => `${one.key} ${one.value}`)), new Set(expected));
              assert.equal(found.length, expected.length);
              assert.deepEqual(
                found.map((one) => one.key),
                found.map((one) => one.key).sort(),
              );
            }
            assert.equal(sorter.count, pairs.length);
            const shared = new Map((await all(another)).map((one, index) => [one.key, index]));
            const positions = (await all(sorter)).flatMap((one) => shared.get(one.key) ?? []);
            assert.deepEqual(
              positions,
              positions.toSorted((a, b) => a - b),
            );
          } finally {
            await sorter.close();
            await another.close();
          }
        },
      ),
      { numRuns: longRuns(200) },
    );
  });

  it('leaves no file behind', async () => {
    const before = ownFolders();
    const sorter = new ExternalSort<number>(2);
    for (let index = 0; index < 5; index++) await sorter.add(`k${index}`, index);
    assert.equal(ownFolders().length, before.length + 1);
    await sorter.close();
    assert.deepEqual(ownFolders(), before);
  });
});

function ownFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('haverdict-sort-'));
}

async function all<Value>(sorter: ExternalSort<Value>) {
  const found = [];
  for await (const one of sorter.sorted()) found.push(one);
  return found;
}
