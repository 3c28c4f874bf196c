import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { foldedLog } from '../../updates/folded-log.ts';
import { packStates } from '../../updates/record.ts';
import { describeNewer } from '../support/scope.ts';
import { type Builder, KEYS, StreamWorld } from './stream-world.ts';

const HOUR_MS = 3_600_000;
/** No builder takes so many steps. */
const MOST_STEPS = 1000;

/** Every place at which a builder can have stopped, by its steps; `during` is what happens there. */
async function atEachStep(
  begun: (world: StreamWorld) => Promise<void>,
  during: (world: StreamWorld, builder: Builder) => Promise<void>,
): Promise<number> {
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const world = new StreamWorld();
    for (const key of KEYS.slice(0, 3)) world.write(key, false);
    await world.settle();
    await world.build();
    await begun(world);
    const builder = world.startBuilder();
    for (let step = 0; step < steps && !builder.isDone; step++) await world.step(builder);
    if (builder.isDone) return steps;
    await during(world, builder);
  }
  return assert.fail('the builder never ends');
}

async function toItsEnd(world: StreamWorld, builder: Builder): Promise<void> {
  for (let step = 0; step < MOST_STEPS && !builder.isDone; step++) await world.step(builder);
  assert.ok(builder.isDone);
}

async function passed(world: StreamWorld, ms: number): Promise<void> {
  world.pass(ms);
  world.writeCanaries(Object.keys(world.log.records.at(-1)?.beats ?? {}));
  await world.settle();
}

describeNewer('builders that are overtaken at any of their steps', () => {
  it('say at a checkpoint what is true at its place in the log, whatever was appended meanwhile', async () => {
    let checkpoints = 0;
    await atEachStep(
      (world) => passed(world, HOUR_MS),
      async (world, builder) => {
        world.write(KEYS[4] ?? assert.fail(), false);
        world.write(KEYS[0] ?? assert.fail(), true);
        await world.settle();
        await toItsEnd(world, builder);
        const manifest = (await world.mirrors.manifest()) ?? assert.fail();
        for (const { number, checkpoint } of world.log.records) {
          if (checkpoint === undefined || number <= manifest.place.number) continue;
          const deps = { log: world.log, mirrors: world.mirrors, clock: () => world.nowMs };
          const { fold } = (await foldedLog(manifest, deps, number)) ?? assert.fail('the log is incomplete');
          assert.ok(isDeepStrictEqual(checkpoint, packStates(fold.states)), `the checkpoint in record ${number}`);
          checkpoints++;
        }
      },
    );
    assert.ok(checkpoints > 3, `${checkpoints} checkpoints`);
  });

  it('never put an older mirror in the place of a newer one', async () => {
    const steps = await atEachStep(
      (world) => passed(world, 25 * HOUR_MS),
      async (world, builder) => {
        world.write(KEYS[4] ?? assert.fail(), false);
        await world.settle();
        await world.build();
        const newer = (await world.mirrors.manifest()) ?? assert.fail();
        await toItsEnd(world, builder);
        const manifest = (await world.mirrors.manifest()) ?? assert.fail();
        assert.ok(manifest.place.number >= newer.place.number, `${manifest.place.number} for ${newer.place.number}`);
      },
    );
    assert.ok(steps > 10, `${steps} steps`);
  });

  it('leave the mirror to the one that began the newest base, but for the moment between a look at the log and the last step', async () => {
    let bases = 0;
    let late = 0;
    await atEachStep(
      (world) => passed(world, 25 * HOUR_MS),
      async (world, builder) => {
        world.restore();
        world.write(KEYS[4] ?? assert.fail(), false);
        await world.settle();
        const before = world.log.records.at(-1)?.base;
        const other = world.startBuilder();
        for (let step = 0; step < MOST_STEPS && !other.isDone && world.log.records.at(-1)?.base === before; step++)
          await world.step(other);
        await toItsEnd(world, builder);
        await toItsEnd(world, other);
        const manifest = (await world.mirrors.manifest()) ?? assert.fail();
        const newest = world.log.records.at(-1) ?? assert.fail();
        if (newest.base === before) return; // both were overtaken: the next minute's run begins one
        bases++;
        if (manifest.place.base === newest.base) return;
        late++;
        await passed(world, HOUR_MS);
        await world.build();
        assert.equal((await world.mirrors.manifest())?.place.base, world.log.records.at(-1)?.base, 'a minute later');
      },
    );
    assert.ok(bases > 10, `${bases} bases`);
    assert.ok(late <= 1, `${late} of ${bases} were late`);
  });
});
