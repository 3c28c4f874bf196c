import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { readPage } from '../../../agent/backend/updates-page.ts';
import { pageProblem, UpdatesPage } from '../../../contract/updates.ts';
import { longRuns } from '../../support/scope.ts';

const LISTS = ['manual', 'feed'];

const change = fc.record({
  key: fc.record({
    subject: fc.constantFrom('ip:192.0.2.1', 'host:a.example', 'nonsense'),
    list: fc.constantFrom(...LISTS),
  }),
  entry: fc.constant(null),
});
const listed = fc.constantFrom(...LISTS).map((list) => ({
  key: { subject: 'ip:192.0.2.2', list },
  entry: { subject: 'ip:192.0.2.2', list, action: 'deny', status: 403, vars: { body: 'no' } },
}));
const page = fc.record({
  cursor: fc.constant('b.2.c'),
  changes: fc.array(fc.oneof(change, listed), { maxLength: 130 }),
  provenAgeMs: fc.option(fc.nat()),
  now: fc.nat(),
  more: fc.boolean(),
  waitMs: fc.nat(60_000),
});
/** Where something else is put, what, or how much of the text comes. */
const fault = fc.oneof(
  fc.record({ at: fc.nat(), value: fc.oneof(fc.jsonValue(), fc.constantFrom(-1, '', 'x', null, true, 1e9, [], {})) }),
  fc.record({ at: fc.nat(), value: fc.constant(undefined) }),
  fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

it('a page is read as it is, or not at all, whatever was done to it', async () => {
  let [whole, spoilt] = [0, 0];
  await fc.assert(
    fc.asyncProperty(page, fc.array(fault, { maxLength: 2 }), async (right, faults) => {
      let text = JSON.stringify(right);
      for (const one of faults) text = 'share' in one ? text.slice(0, text.length * one.share) : replaced(text, one);
      const expected = asContract(text);
      if (expected === undefined) spoilt++;
      else whole++;
      const reading = readPage(text, LISTS, async () => {});
      if (expected === undefined) await assert.rejects(reading, { name: 'LookupError' });
      else assert.deepEqual(await reading, expected);
    }),
    { numRuns: longRuns(20_000, 500) },
  );
  assert.ok(whole > spoilt / 20 && spoilt > whole / 20, `${whole} whole, ${spoilt} spoilt`);
});

/** What the contract says of it, all at once. */
function asContract(text: string): UpdatesPage | undefined {
  try {
    const page = UpdatesPage.parse(JSON.parse(text));
    return pageProblem(page, LISTS) === undefined ? page : undefined;
  } catch {
    return undefined;
  }
}

/** The same JSON with another value in one place. */
function replaced(text: string, { at, value }: { at: number; value: unknown }): string {
  let places = 0;
  const count = (part: unknown): void => {
    places++;
    if (typeof part === 'object' && part !== null) for (const inner of Object.values(part)) count(inner);
  };
  try {
    count(JSON.parse(text));
  } catch {
    return text;
  }
  const wanted = at % places;
  let place = -1;
  // JSON.stringify visits them in the same order
  return JSON.stringify(JSON.parse(text), (_name, part) => (++place === wanted ? value : part)) ?? '';
}
