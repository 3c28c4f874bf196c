import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import type { Item } from '../../../blocklist/store.ts';
import { EXIT } from '../../../cli/exit/cli-error.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';
import { manyRuns } from '../../support/many-runs.ts';
import { describeNewer, longRuns } from '../../support/scope.ts';

const LISTS = ['one', 'two'] as const;
const SUBJECTS = ['203.0.113.1', '203.0.113.2', '203.0.113.3', '198.51.100.0/24', '2001:db8::/64'];

const list = fc.constantFrom(...LISTS);
const some = fc.subarray(SUBJECTS, { minLength: 2 });
const reason = fc.constantFrom('a', 'b');
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('block', 'allow', 'remove'), list, some, reason }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constantFrom('import', 'sync'), list, some, reason }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('delete'), list, some, reason }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('put by hand', 'remove by hand'), list, some, reason }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('revert'), back: fc.nat(5) }) },
);

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** What a table has in it, by key. */
type State = ReadonlyMap<string, Item>;

interface Run {
  readonly id: string;
  readonly before: State;
  readonly after: State;
}

/** Sequences that share a table: each step looks at all of its history. */
const SHARING = 20;
const SEQUENCES = longRuns(300, 8);

describeNewer('any sequence of changes and reverts', () => {
  for (let from = 0; from < SEQUENCES; from += SHARING)
    it(`takes back what is as it was left, moves nothing else, and is in the history, from ${from + 1} on`, (t) =>
      sequences(t, Math.min(SHARING, SEQUENCES - from)));
});

async function sequences(t: TestContext, count: number): Promise<void> {
  const { endpoint } = await localTable(t);
  const store = blocklistAt(endpoint);
  const run = manyRuns(t, endpoint);
  const folder = temporaryFolder(t);
  const file = join(folder, 'feed.txt');

  async function state(): Promise<State> {
    const lists = await Promise.all(LISTS.map((name) => Array.fromAsync(store.entries.ofList(name))));
    return new Map(lists.flat().map((item) => [`${item.list} ${item.subject}`, item]));
  }

  async function records(): Promise<readonly string[]> {
    const all = await Promise.all(LISTS.map((name) => Array.fromAsync(store.history.of(name))));
    return all.flat().flatMap((change) => {
      const subjects = change.change === 'put' || change.change === 'remove' ? (change.subjects ?? []) : [];
      return subjects.map((subject) => `${change.run} ${change.change} ${change.list} ${subject}`);
    });
  }

  async function runIds(): Promise<Set<string>> {
    const all = await Promise.all(LISTS.map((name) => Array.fromAsync(store.history.of(name))));
    return new Set(all.flat().flatMap(({ run }) => run ?? []));
  }

  async function take(one: Step, runs: readonly Run[]) {
    if ('back' in one) {
      const to = chosen(one.back, runs);
      return to === undefined ? undefined : run('revert', to.id, '--yes');
    }
    const { does, list, some, reason } = one;
    if (does === 'put by hand') {
      for (const subject of some)
        await store.entries.put({ subject: `ip:${subject}`, list, action: 'deny', reason: 'hand' } as StoredEntry);
      return undefined;
    }
    if (does === 'remove by hand') {
      for (const subject of some) await store.entries.remove({ subject: `ip:${subject}`, list });
      return undefined;
    }
    if (does === 'delete') return run('lists', 'delete', list, '--yes');
    if (does === 'import' || does === 'sync') {
      writeFileSync(file, some.map((subject) => `${subject}\n`).join(''));
      return run(does, file, '--list', list, '--yes', '--reason', reason);
    }
    return run(does, ...some, '--list', list, '--reason', reason);
  }

  let reverts = 0;
  let left = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 14, maxLength: 14 }), async (steps) => {
      const runs: Run[] = [];
      for (const one of steps) {
        const known = await runIds();
        const before = await state();
        const ended = await take(one, runs);
        const now = await state();
        if (ended === undefined) continue;
        assert.ok(!/^ {4}at /m.test(ended.said), ended.said);
        const ids = [...(await runIds())].filter((id) => !known.has(id));
        assert.ok(ids.length <= 1, ended.said);
        const [id] = ids;
        const to = 'back' in one ? chosen(one.back, runs) : undefined;
        if (to !== undefined) {
          const expected = reverted(before, to);
          assert.deepEqual(now, expected.state, ended.said);
          assert.equal(ended.status, expected.left > 0 ? EXIT.skipped : EXIT.done, ended.said);
          reverts++;
          left += expected.left;
        }
        const moved = keysThatDiffer(before, now);
        const recorded = new Set(await records());
        for (const key of moved) {
          const change = now.has(key) ? 'put' : 'remove';
          assert.ok(recorded.has(`${id} ${change} ${key}`), `${change} ${key} is not in the history: ${ended.said}`);
        }
        if (id !== undefined) runs.push({ id, before, after: now });
      }
    }),
    { endOnFailure: true, numRuns: count },
  );
  assert.ok(reverts > 10 && left > 0, `${reverts} reverts, ${left} entries left alone`);
}

/** One of the last runs. */
function chosen(back: number, runs: readonly Run[]): Run | undefined {
  return runs.at(-1 - (back % Math.max(1, runs.length)));
}

function keysThatDiffer(one: State, other: State): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((key) => !isSame(one.get(key), other.get(key)));
}

/** The oracle: whatever the run changed is as before, unless it is no longer as the run left it. */
function reverted(now: State, run: Run): { readonly state: State; readonly left: number } {
  const state = new Map(now);
  let left = 0;
  for (const key of keysThatDiffer(run.before, run.after)) {
    const [was, is] = [run.before.get(key), now.get(key)];
    if (isSame(is, was)) continue;
    if (!isSame(is, run.after.get(key))) left++;
    else if (was === undefined) state.delete(key);
    else state.set(key, was);
  }
  return { state, left };
}

function isSame(one: Item | undefined, other: Item | undefined): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}
