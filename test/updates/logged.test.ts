import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Change } from '../../contract/updates.ts';
import { append } from '../../updates/append.ts';
import { untilLogged } from '../../updates/logged.ts';
import { unpack } from '../../updates/record.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { longRuns } from '../support/scope.ts';

const KEYS = ['a', 'b', 'c'].map((name) => ({ subject: `host:${name}`, list: 'manual' }));
const LIMIT_MS = 10_000;

/** What happens to the table and its log, from one look into the log to the next; a record may be put long after its read. */
type Step =
  | { readonly write: number; readonly reason: string | null }
  | { readonly read: number }
  | { readonly log: number };

describe('waiting for the log', () => {
  it('ends when the last word of the log about each key was what the table said, and no earlier', async () => {
    const key = fc.nat(KEYS.length - 1);
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ write: key, reason: fc.option(fc.constantFrom('x', 'y')) }),
      fc.record({ read: key }),
      fc.record({ log: key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 12 }), async (before, after) => {
        const world = new World(after);
        for (const one of before) await world.take(one);
        const from = world.log.records.length;
        for (const [index] of KEYS.entries()) await world.take({ write: index, reason: 'ours' });
        world.agreed.clear();
        assert.equal(await world.wait(from), true);
        assert.equal(world.agreed.size, KEYS.length);
      }),
      { numRuns: longRuns(5000, 300) },
    );
  });

  it('gives up at the limit, also where the log says what was there before', async () => {
    const world = new World([{ log: 0 }, { log: 1 }, { log: 2 }], false);
    await world.take({ read: 1 });
    for (const [index] of KEYS.entries()) await world.take({ write: index, reason: 'ours' });
    assert.equal(await world.wait(0), false);
    assert.ok(world.nowMs >= LIMIT_MS);
  });

  it('takes entries for keys', async () => {
    const world = new World([]);
    for (const [index] of KEYS.entries()) await world.take({ write: index, reason: 'ours' });
    const entries = KEYS.map((key) => ({ ...key, action: 'deny', createdAt: 'now' }));
    assert.equal(await world.wait(0, entries), true);
  });

  it('has nothing to wait for without keys', async () => {
    assert.equal(await new World([]).wait(0, []), true);
  });
});

/** A table and a log that the real append writes; one step is taken while somebody waits between two looks. */
class World {
  readonly log = new MemoryLog();
  readonly reasons = new Map<string, string | null>();
  /** The subjects of which the log said what the table did, at some moment. */
  readonly agreed = new Set<string>();
  nowMs = 0;
  readonly #read = new Map<number, Change>();
  readonly #steps: Step[];
  readonly #settles: boolean;

  constructor(steps: readonly Step[], settles = true) {
    this.#steps = [...steps];
    this.#settles = settles;
  }

  async take(step: Step | undefined): Promise<void> {
    if (step === undefined && this.#settles) for (const [index] of KEYS.entries()) await this.#append(index);
    else if (step === undefined) return;
    else if ('log' in step) await this.#append(step.log);
    else if ('read' in step) this.#read.set(step.read, this.#changeOf(KEYS[step.read] ?? assert.fail()));
    else this.reasons.set(KEYS[step.write]?.subject ?? '', step.reason);
    for (const { subject } of KEYS)
      if (this.#saidOf(subject) === (this.reasons.get(subject) ?? null)) this.agreed.add(subject);
  }

  wait(after: number, keys = KEYS): Promise<boolean> {
    return untilLogged(keys, after, LIMIT_MS, {
      log: this.log,
      read: async (keys) => keys.map((key) => this.#changeOf(key)),
      clock: () => this.nowMs,
      wait: (ms) => {
        this.nowMs += ms;
        return this.take(this.#steps.shift());
      },
    });
  }

  /** The last word of the log about a subject; undefined without any. */
  #saidOf(subject: string): string | null | undefined {
    const last = this.log.records
      .flatMap((record) => unpack(record) ?? [])
      .findLast(({ key }) => key.subject === subject);
    return last === undefined ? undefined : (last.entry?.reason ?? null);
  }

  #append(index: number): Promise<void> {
    const keys = KEYS.slice(index, index + 1);
    const facts = { stream: 's', canaries: {}, oldestMs: this.nowMs };
    const earlier = this.#read.get(index);
    this.#read.delete(index);
    const read = async () => keys.map((key) => earlier ?? this.#changeOf(key));
    return append({ keys, ...facts }, { log: this.log, read, newId: () => 'i', clock: () => this.nowMs });
  }

  #changeOf(key: Change['key']): Change {
    const reason = this.reasons.get(key.subject) ?? null;
    return { key, entry: reason === null ? null : { ...key, action: 'deny', reason } };
  }
}
