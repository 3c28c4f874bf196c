import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { LookupSubject } from '../../agent/decision/lookup-subject.ts';
import { Mirror as HeldMirror } from '../../agent/mirror/mirror.ts';
import { Mirror, mirrorProblem } from '../../contract/mirror.ts';
import { HttpError } from '../../functions/check/http.ts';
import { MirrorAnswers } from '../../functions/check/mirror.ts';
import { longRuns } from '../support/scope.ts';
import { type Builder, KEYS, nameOf, SHARDS, StreamWorld } from './stream-world.ts';

const LIST = 'manual';
const HOUR_MS = 3_600_000;
/** What is asked to see the entry of each key. */
const ASKED = ['host:a.example', 'ua:x y', 'ip:192.0.2.1', 'ip:198.51.100.9', 'ip:2001:db8::1', 'ip:203.0.113.7'];

type Command = (world: StreamWorld, agent: Agent) => unknown;

const index = (count: number) => fc.nat({ max: count - 1 });
const of = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });
const commands: fc.Arbitrary<Command> = fc.oneof(
  of(
    8,
    fc.record({ at: index(KEYS.length), isRemoved: fc.boolean() }).map(
      ({ at, isRemoved }) =>
        (world) =>
          world.write(KEYS[at] ?? assert.fail(), isRemoved),
    ),
  ),
  of(
    4,
    fc.record({ shard: index(SHARDS), most: fc.integer({ min: 1, max: 5 }) }).map(
      ({ shard, most }) =>
        (world) =>
          world.start(shard, most),
    ),
  ),
  of(
    8,
    index(6).map((at) => (world) => world.step(world.writers[at])),
  ),
  of(
    1,
    fc.record({ at: index(6), isDead: fc.boolean() }).map(
      ({ at, isDead }) =>
        (world) =>
          world.giveUp(world.writers[at], isDead),
    ),
  ),
  of(
    2,
    fc.constantFrom('v1', 'v1', 'v1', 'v2').map((version) => (world) => void begin(world, version)),
  ),
  of(
    14,
    fc.record({ at: index(3), steps: fc.integer({ min: 1, max: 60 }) }).map(
      ({ at, steps }) =>
        (world) =>
          go(world, world.builders[at], steps),
    ),
  ),
  of(
    1,
    index(3).map((at) => (world) => void world.builders.splice(at, 1)),
  ),
  of(
    3,
    fc.constantFrom(10, 900, 1500, 30_000, HOUR_MS).map((ms) => (world) => world.pass(ms)),
  ),
  of(
    1,
    fc
      .constantFrom(6 * HOUR_MS, 13 * HOUR_MS, 25 * HOUR_MS, 30 * HOUR_MS, 80 * HOUR_MS)
      .map((ms) => (world) => world.pass(ms)),
  ),
  of(
    2,
    fc.nat().map(
      (seed): Command =>
        (world, agent) =>
          buildBusily(world, agent, seed),
    ),
  ),
  of(
    2,
    fc.constant<Command>((world) => world.writeCanaries(canariesOf(world))),
  ),
  of(
    2,
    fc.constant<Command>((world) => world.settle()),
  ),
  of(
    1,
    fc.constant<Command>((world) => world.restore()),
  ),
  of(
    8,
    fc.constant<Command>((world, agent) => agent.poll(world)),
  ),
);

describe('the mirror', () => {
  it('is the table when all is quiet, and before that as its proof says, whatever builders and writers die or overlap', async () => {
    const seen = { checkpoints: 0, loads: 0, proven: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(commands, { minLength: 20, maxLength: 80 }),
        fc.constantFrom(0, 0, -1500, 1500),
        fc.boolean(),
        async (script, aheadMs, isBegun) => {
          const world = new StreamWorld();
          world.builderAheadMs = aheadMs;
          const agent = new Agent();
          if (isBegun) await world.build();
          for (const command of script) await command(world, agent);
          await agent.quiet(world);
          assert.equal(world.repairs, 0);
          for (const name of ['checkpoints', 'loads', 'proven'] as const) seen[name] += agent[name];
        },
      ),
      { numRuns: longRuns(3000, 60) },
    );
    for (const [name, times] of Object.entries(seen)) assert.ok(times >= 30, `${times} ${name}`);
  });

  it('has what events did not say, from the next day on, and that is told', async () => {
    const world = new StreamWorld();
    const agent = new Agent();
    for (const key of KEYS) world.write(key, false);
    await agent.quiet(world);
    const [flipped = assert.fail(), gone = assert.fail(), extra = assert.fail()] = KEYS;
    world.write(extra, true);
    await agent.quiet(world);
    for (const [key, text] of [
      [flipped, 'v90'],
      [gone, undefined],
      [extra, 'v91'],
    ] as const)
      world.history.get(nameOf(key))?.push({ sinceMs: world.nowMs, text }); // without an event
    for (let hours = 0; hours < 24; hours += 6) {
      world.pass(6 * HOUR_MS);
      world.writeCanaries(canariesOf(world));
      await world.settle();
    }
    const { repairs } = await world.build();
    assert.equal(repairs, 3);
    const before = agent.loads;
    await agent.quiet(world);
    assert.equal(agent.loads, before, 'by the log');
    assert.equal((await world.build()).repairs, 0);
  });
});

function begin(world: StreamWorld, version: string): void {
  if (world.builders.length < 3) world.startBuilder(version);
}

async function go(world: StreamWorld, builder: Builder | undefined, steps: number): Promise<void> {
  for (let left = steps; left > 0 && builder?.isDone === false; left--) await world.step(builder);
}

/** Runs a builder to its end, while the table is written, writers append, agents poll, and another builder goes on. */
async function buildBusily(world: StreamWorld, agent: Agent, seed: number): Promise<void> {
  let state = seed;
  const random = (options: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % options;
  };
  const builder = world.startBuilder('v1');
  for (let steps = 0; steps < 2000 && !builder.isDone; steps++) {
    await world.step(builder);
    const what = random(12);
    if (what < 2) world.write(KEYS[random(KEYS.length)] ?? assert.fail(), random(2) === 0);
    else if (what === 2) world.start(random(SHARDS), 2);
    else if (what === 3) await world.step(world.writers[random(3)]);
    else if (what === 4) await world.step(world.builders[random(2)]);
    else if (what === 5 && random(8) === 0) await agent.poll(world);
  }
}

function canariesOf(world: StreamWorld): string[] {
  return Object.keys(world.log.records.at(-1)?.beats ?? {});
}

/** An agent with the tables of the real one, which it loads from the real function. */
class Agent {
  /** How often these were there. */
  checkpoints = 0;
  loads = 0;
  proven = 0;
  #held = new HeldMirror({ lists: [LIST] }, 1000);
  #cursor: string | undefined;

  async poll(world: StreamWorld): Promise<void> {
    if (this.#cursor === undefined) await this.#load(world);
    if (this.#cursor === undefined) return;
    const read = await world.poll(this.#cursor);
    if (read === undefined) {
      this.#cursor = undefined; // 410
      return;
    }
    const { cursor, changes, checkpoint, provenAgeMs } = read.page;
    for (const change of changes) this.#held.apply(change);
    this.#cursor = cursor;
    if (checkpoint !== undefined) {
      this.checkpoints++;
      assert.deepEqual(this.#held.sumOf(LIST), checkpoint.lists[LIST], 'at the checkpoint');
    }
    if (provenAgeMs === null) return;
    this.proven++;
    for (const [at, key] of KEYS.entries()) {
      const texts = world.textsSince(key, world.nowMs - provenAgeMs).map((text) => world.unexpired(text));
      assert.ok(texts.includes(this.#textAt(at, world)), `${key.subject}, proven up to ${provenAgeMs} ms ago`);
    }
  }

  /** All is quiet: what waits is written, builders run, and the agent has what the table has. */
  async quiet(world: StreamWorld): Promise<void> {
    for (const ms of [60_000, 7 * HOUR_MS, HOUR_MS, 60_000]) {
      world.pass(ms);
      world.writeCanaries(canariesOf(world));
      await world.settle();
      await world.build();
      for (let polls = 0; polls < 20; polls++) await this.poll(world);
    }
    world.writeCanaries(canariesOf(world));
    await world.settle();
    for (let polls = 0; polls < 3; polls++) await this.poll(world);
    const page = (await world.poll(this.#cursor))?.page ?? assert.fail('410 for ever');
    assert.ok(page.provenAgeMs !== null && page.provenAgeMs < 2000, `proven ${page.provenAgeMs} ms ago`);
    for (const [at, key] of KEYS.entries())
      assert.equal(this.#textAt(at, world), world.unexpired(world.textOf(key)), `${key.subject} when quiet`);
  }

  async #load(world: StreamWorld): Promise<void> {
    const { log, mirrors, nowMs } = world;
    const answers = new MirrorAnswers({
      log: { tail: () => log.tail(), at: async (number) => log.records.find((record) => record.number === number) },
      mirrors,
    });
    const answer = await answers.manifest({ lists: [LIST] }, undefined, nowMs).catch((error) => {
      // a scan that took hours has found that the table is too large
      assert.ok(error instanceof HttpError && [404, 503].includes(error.status), String(error));
    });
    if (answer === undefined) return;
    const mirror = Mirror.parse(JSON.parse(answer.body ?? ''));
    assert.equal(mirrorProblem(mirror, [LIST]), undefined);
    this.#held = new HeldMirror({ lists: [LIST] }, 1000);
    for (const { n } of mirror.segments) {
      const { body = '' } = await answers.segment({ id: mirror.id, n });
      for (const _ of this.#held.fill(LIST, gunzipSync(Buffer.from(body, 'base64'))));
    }
    assert.deepEqual(this.#held.sumOf(LIST), mirror.lists[LIST], 'after the load');
    this.#cursor = mirror.cursor;
    this.loads++;
  }

  #textAt(at: number, { nowMs }: StreamWorld): string | undefined {
    this.#held.setEpoch(nowMs, nowMs);
    return this.#held.entryOf(LookupSubject.parse(ASKED[at] ?? ''), nowMs)?.reason;
  }
}
