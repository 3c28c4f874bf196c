import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AppendDeps, append, type Log } from '../../updates/append.ts';
import { type LogRecord, unpack } from '../../updates/record.ts';
import { longRuns, SCOPE } from '../support/scope.ts';
import { everyInterleaving, type Interleaving, someInterleavings } from './interleavings.ts';

/** Writers of one key or two, as after batches that were delivered twice, and the keys that are written to the table meanwhile. */
interface World {
  readonly batches: readonly (readonly string[])[];
  readonly writes: readonly string[];
}

const TWO: World = { batches: [['a', 'b'], ['a']], writes: ['a', 'a'] };
const THREE: World = { batches: [['a'], ['a'], ['a']], writes: ['a'] };
const LARGE: World = { batches: [['a', 'b'], ['b', 'a'], ['a']], writes: ['a', 'b', 'a'] };

describe('the append', () => {
  it('never goes back in the state of a key, in every order of the steps of two writers and of the table', async () => {
    const { runs, problems } = await explore(TWO, append);
    assert.deepEqual(problems, []);
    assert.ok(runs > 1000, `${runs} interleavings`);
  });

  it('nor in orders of three writers', async () => {
    assert.deepEqual((await tryOut(LARGE, append)).problems, []);
  });

  if (SCOPE === 'all')
    it('nor in every order of three writers, about a quarter of a million', async () => {
      const { runs, problems } = await explore(THREE, append);
      assert.deepEqual(problems, []);
      assert.ok(runs > 100_000, `${runs} interleavings`);
    });

  it('would go back without the second read, which shows that these orders can tell', async () => {
    for (const { problems } of [await explore(TWO, appendOnce), await tryOut(LARGE, appendOnce)])
      assert.ok(problems.includes('a went back'), problems.join());
  });
});

async function explore(world: World, appendUnderTest: typeof append) {
  const problems = new Set<string>();
  const runs = await everyInterleaving(world.batches.length + 1, async (steps) => {
    for (const problem of await run(world, steps, appendUnderTest)) problems.add(problem);
  });
  return { runs, problems: [...problems] };
}

async function tryOut(world: World, appendUnderTest: typeof append) {
  const problems = new Set<string>();
  await someInterleavings(longRuns(50_000, 2000), world.batches.length + 1, async (steps) => {
    for (const problem of await run(world, steps, appendUnderTest)) problems.add(problem);
  });
  return { problems: [...problems] };
}

async function run({ batches, writes }: World, steps: Interleaving, appendUnderTest: typeof append): Promise<string[]> {
  const versions: Record<string, number> = { a: 0, b: 0 };
  const records: LogRecord[] = [];
  const writerOf = (name: string, keys: readonly string[]) => {
    const step = () => steps.turn(name);
    const log: Log = {
      async tail() {
        await step();
        return records.at(-1);
      },
      async put(record) {
        await step();
        if (records.some(({ number }) => number === record.number)) return false;
        records.push(record);
        return true;
      },
    };
    const deps: AppendDeps = {
      log,
      async read(asked) {
        await step();
        return asked.map((key) => ({ key, entry: { ...key, action: 'deny', expiresAt: versions[key.subject] ?? 0 } }));
      },
      newId: () => name,
      clock: () => 0,
    };
    const batch = { keys: keys.map((subject) => ({ subject, list: 'manual' })), canaries: {} };
    return appendUnderTest({ ...batch, stream: 's', oldestMs: 0 }, deps).then(() => steps.done());
  };
  const table = async () => {
    for (const key of writes) {
      await steps.turn('table');
      versions[key] = (versions[key] ?? 0) + 1;
    }
    steps.done();
  };
  await Promise.all([table(), ...batches.map((keys, index) => writerOf(`writer ${index}`, keys))]);
  return problemsOf(records);
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
  let items: ReturnType<AppendDeps['read']> | undefined;
  await append(batch, { ...deps, read: (keys) => (items ??= deps.read(keys)) });
}
