import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { UpdatesPage } from '../../contract/updates.ts';
import { NO_BASE } from '../../updates/record.ts';
import { longRuns } from '../support/scope.ts';
import { KEYS, nameOf, SHARDS, StreamWorld } from './stream-world.ts';

const HOUR_MS = 3_600_000;

type Command = (world: StreamWorld, agent: Agent) => unknown;

const index = (count: number) => fc.nat({ max: count - 1 });
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ at: index(KEYS.length), isRemoved: fc.boolean() }).map(
      ({ at, isRemoved }): Command =>
        (world) =>
          world.write(KEYS[at] ?? assert.fail(), isRemoved),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.record({ shard: index(SHARDS), most: fc.integer({ min: 1, max: 5 }) }).map(
      ({ shard, most }): Command =>
        (world) =>
          world.start(shard, most),
    ),
  },
  {
    weight: 14,
    arbitrary: index(6).map(
      (at): Command =>
        (world) =>
          world.step(world.writers[at]),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ at: index(6), isDead: fc.boolean() }).map(
      ({ at, isDead }): Command =>
        (world) =>
          world.giveUp(world.writers[at], isDead),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(10, 900, 1500, 30_000).map(
      (ms): Command =>
        (world) =>
          world.pass(ms),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(6 * HOUR_MS, 13 * HOUR_MS, 30 * HOUR_MS, 80 * HOUR_MS).map(
      (ms): Command =>
        (world) =>
          world.pass(ms),
    ),
  },
  { weight: 4, arbitrary: fc.constant<Command>((world) => world.writeCanaries(canariesOf(world))) },
  { weight: 2, arbitrary: fc.constant<Command>((world) => world.settle()) },
  { weight: 1, arbitrary: fc.constant<Command>((world) => world.build()) },
  { weight: 1, arbitrary: fc.constant<Command>((world) => world.restore()) },
  { weight: 8, arbitrary: fc.constant<Command>((world, agent) => agent.poll(world)) },
);

describe('the proof of freshness', () => {
  it('holds whatever writers die or hang, events come twice or late or never, hosts sleep and tables are restored', async () => {
    let proven = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: 20, maxLength: 80 }), async (script) => {
        const world = new StreamWorld();
        const agent = new Agent();
        await world.build();
        for (const command of script) await command(world, agent);
        await agent.quiet(world);
        proven += agent.proven;
      }),
      { numRuns: longRuns(5000, 300) },
    );
    assert.ok(proven > 300, `${proven} pages with a proof`);
  });

  it('ends when a writer comes back after a day, although canaries were written all the while', async () => {
    const world = new StreamWorld();
    await world.build();
    await world.settle();
    const agent = new Agent();
    await agent.poll(world);
    const canaries = canariesOf(world);
    world.write(KEYS[0] ?? assert.fail(), false); // lost
    for (let hours = 0; hours < 30; hours += 5) {
      world.pass(5 * HOUR_MS);
      world.writeCanaries(canaries);
    }
    await world.settle(1);
    await agent.poll(world);
    assert.equal(world.log.records.at(-1)?.base, NO_BASE);
    await agent.quiet(world);
  });
});

function canariesOf(world: StreamWorld): string[] {
  return Object.keys(world.log.records.at(-1)?.beats ?? {});
}

/** An agent that holds what it read when it began and what the log says since. */
class Agent {
  /** How many pages had a proof. */
  proven = 0;
  #cursor: string | undefined;
  readonly #known = new Map<string, string | undefined>();
  readonly #told = new Map<string, number>();

  async poll(world: StreamWorld): Promise<void> {
    const read = await world.poll(this.#cursor);
    if (read === undefined) {
      this.#cursor = undefined; // 410
      return;
    }
    if (this.#cursor === undefined) this.#begin(world);
    this.#cursor = read.page.cursor;
    this.#apply(read.page, world);
  }

  /** All is quiet: what waits is written, a trial begins a base where there is none, and the agent knows everything. */
  async quiet(world: StreamWorld): Promise<void> {
    for (let minute = 0; minute < 3; minute++) {
      await world.settle();
      await world.build();
      world.writeCanaries(canariesOf(world));
    }
    await world.settle();
    for (let polls = 0; polls < 20; polls++) await this.poll(world);
    const page = (await world.poll(this.#cursor))?.page ?? assert.fail('410 for ever');
    assert.ok(page.provenAgeMs !== null && page.provenAgeMs < 2000, `proven ${page.provenAgeMs} ms ago`);
    for (const key of KEYS) assert.equal(this.#known.get(nameOf(key)), world.textOf(key), `${key.subject} when quiet`);
  }

  #begin(world: StreamWorld): void {
    this.#told.clear();
    for (const key of KEYS) this.#known.set(nameOf(key), world.textOf(key));
  }

  #apply({ changes, provenAgeMs }: UpdatesPage, world: StreamWorld): void {
    for (const { key, entry } of changes) {
      this.#known.set(nameOf(key), entry?.reason);
      const version = Number(entry?.reason?.slice(1) ?? 0);
      // restored items have older texts; without a restore a text never comes back
      if (version !== 0 && world.log.records.every(({ stream }) => !stream.includes('+'))) {
        assert.ok(version >= (this.#told.get(nameOf(key)) ?? 0), `${key.subject} went back to v${version}`);
        this.#told.set(nameOf(key), version);
      }
    }
    if (provenAgeMs === null) return;
    this.proven++;
    for (const key of KEYS) {
      const text = this.#known.get(nameOf(key));
      const isTrue = world.saidSince(key, text, world.nowMs - provenAgeMs);
      assert.ok(
        isTrue,
        `${key.subject} is ${text}, proven up to ${provenAgeMs} ms ago, but it says ${world.textOf(key)}`,
      );
    }
  }
}
