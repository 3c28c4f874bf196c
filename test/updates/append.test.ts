import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Change } from '../../contract/updates.ts';
import { type AppendDeps, append } from '../../updates/append.ts';
import { type LogRecord, unpack } from '../../updates/record.ts';
import { longRuns, SCOPE } from '../support/scope.ts';
import { everyInterleaving, type Interleaving, someInterleavings } from './interleavings.ts';

/** Writers of one key or two, as after batches that were delivered twice, and the keys that are written to the table meanwhile. */
interface World {
  readonly batches: readonly (readonly string[])[];
  readonly writes: readonly string[];
}

const THREE: World = { batches: [['a'], ['a'], ['a']], writes: SCOPE === 'all' ? ['a', 'a'] : ['a'] };
const TWO_KEYS: World = {
  batches: [
    ['a', 'b'],
    ['b', 'a'],
  ],
  writes: ['a', 'b'],
};
const LARGE: World = { batches: [['a', 'b'], ['b', 'a'], ['a']], writes: ['a', 'b', 'a'] };

describe('the append', () => {
  for (const [what, world, least] of [
    ['three writers of one key', THREE, 2000],
    ['two writers of two keys', TWO_KEYS, 300],
  ] as const)
    it(`never goes back in the state of a key, in every order of the steps of ${what} and of the table`, async () => {
      const { states, problems } = await explore(world, append);
      assert.deepEqual(problems, []);
      assert.ok(states > least, `${states} states`);
    });

  it('nor in orders of three writers of two keys', async () => {
    assert.deepEqual(await tryOut(LARGE, append), []);
  });

  it('would go back without the second read, which shows that these orders can tell', async () => {
    for (const problems of [(await explore(TWO_KEYS, appendOnce)).problems, await tryOut(LARGE, appendOnce)])
      assert.ok(problems.includes('a went back'), problems.join());
  });
});

async function explore(world: World, appendUnderTest: typeof append) {
  const problems = new Set<string>();
  const states = await everyInterleaving(world.batches.length + 1, (steps) =>
    run(world, steps, appendUnderTest, problems),
  );
  return { states, problems: [...problems] };
}

async function tryOut(world: World, appendUnderTest: typeof append): Promise<string[]> {
  const problems = new Set<string>();
  await someInterleavings(longRuns(50_000, 1500), world.batches.length + 1, (steps) =>
    run(world, steps, appendUnderTest, problems),
  );
  return [...problems];
}

function run({ batches, writes }: World, steps: Interleaving, appendUnderTest: typeof append, problems: Set<string>) {
  const versions: Record<string, number> = { a: 0, b: 0 };
  const records: LogRecord[] = [];
  /** What each party has seen last: with the log and the table it is all that decides how it goes on. */
  const seen: Record<string, { tail?: unknown; after?: unknown; read?: object; phase?: string }> = {};
  const writer = async (name: string, keys: readonly string[]) => {
    const deps: AppendDeps = {
      log: {
        async tail() {
          await steps.turn(name);
          seen[name] = { ...seen[name], tail: records.length, phase: 'tail' };
          return records.at(-1);
        },
        async from(number) {
          await steps.turn(name);
          seen[name] = { ...seen[name], tail: records.length, phase: 'others' };
          return { records: records.filter((record) => record.number >= number), isAll: true };
        },
        async put(record) {
          await steps.turn(name);
          const isFirst = records.every(({ number }) => number !== record.number);
          if (isFirst) records.push(record);
          seen[name] = { ...seen[name], after: seen[name]?.tail, tail: isFirst ? 'done' : 'lost' };
          return isFirst;
        },
      },
      async read(asked) {
        await steps.turn(name);
        const changes = asked.map((key) => {
          const expiresAt = versions[key.subject] ?? 0;
          return { key, entry: { ...key, action: 'deny' as const, expiresAt } };
        });
        seen[name] = { ...seen[name], phase: 'read', read: { ...seen[name]?.read, ...versionsIn(changes) } };
        return changes;
      },
      newId: () => name,
      clock: () => 0,
    };
    const facts = { canaries: {}, stream: 's', oldestMs: 0 };
    await appendUnderTest({ keys: keys.map((subject) => ({ subject, list: 'manual' })), ...facts }, deps);
    steps.done();
  };
  const table = async () => {
    for (const key of writes) {
      await steps.turn('table');
      versions[key] = (versions[key] ?? 0) + 1;
    }
    steps.done();
  };
  void table();
  batches.forEach((keys, index) => void writer(`writer ${index}`, keys));
  return {
    ended: steps.ended.then(() => {
      for (const problem of problemsOf(records)) problems.add(problem);
    }),
    state: () => JSON.stringify([versions, seen, records.map((record) => [record.id, changesIn(record)])]),
  };
}

function versionsIn(changes: readonly Change[]): object {
  return Object.fromEntries(changes.map(({ key, entry }) => [key.subject, entry?.expiresAt]));
}

const unpacked = new WeakMap<LogRecord, unknown[]>();

function changesIn(record: LogRecord): unknown[] {
  const changes =
    unpacked.get(record) ?? unpack(record)?.map(({ key, entry }) => [key.subject, entry?.expiresAt]) ?? [];
  unpacked.set(record, changes);
  return changes;
}

function problemsOf(records: readonly LogRecord[]): string[] {
  const problems = records.flatMap(({ number }, index) => (number === index + 1 ? [] : [`${number} at ${index + 1}`]));
  const seen = new Map<string, number>();
  for (const { key, entry } of records.flatMap((record) => unpack(record) ?? [])) {
    const version = entry?.expiresAt ?? 0;
    if (version < (seen.get(key.subject) ?? 0)) problems.push(`${key.subject} went back`);
    seen.set(key.subject, version);
  }
  return problems;
}

/** The mutant: who loses the race puts what it has read before at the next number. */
async function appendOnce(batch: Parameters<typeof append>[0], deps: AppendDeps): Promise<void> {
  const blind = { ...deps.log, from: async () => ({ records: [], isAll: true }) };
  let items: Awaited<ReturnType<AppendDeps['read']>> | undefined;
  const read: AppendDeps['read'] = async (keys) => {
    items ??= await deps.read(keys);
    return items;
  };
  await append(batch, { ...deps, log: blind, read });
}
