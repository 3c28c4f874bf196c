import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_BASE } from '../../updates/record.ts';
import { tryCanaries } from '../../updates/trial.ts';
import { KEYS, SHARDS, StreamWorld } from './stream-world.ts';

const HOUR_MS = 3_600_000;

describe('the trial of canaries', () => {
  it('keeps one canary for each shard, and begins a base', async () => {
    const world = new StreamWorld();
    await world.tryCanaries();
    const head = world.log.records.at(-1) ?? assert.fail();
    assert.equal(Object.keys(head.beats).length, SHARDS);
    assert.notEqual(head.base, NO_BASE);
    for (const beat of Object.values(head.beats)) assert.ok(world.nowMs - beat < 5000, `${world.nowMs - beat} ms`);
  });

  it('is due again after six hours, and keeps the base', async () => {
    const world = new StreamWorld();
    await world.tryCanaries();
    const before = world.log.records.length;
    world.pass(6 * HOUR_MS - 60_000);
    await world.tryCanaries();
    assert.equal(world.log.records.length, before);
    world.pass(60_000);
    await world.tryCanaries();
    const [first, last] = [world.log.records[before - 1], world.log.records.at(-1)];
    assert.ok(world.log.records.length > before);
    assert.equal(last?.base, first?.base);
    assert.ok((last?.triedMs ?? 0) > (first?.triedMs ?? 0));
  });

  it('begins another base where there is none, so that old cursors are gone', async () => {
    const world = new StreamWorld();
    await world.tryCanaries();
    const { page } = (await world.poll(undefined)) ?? assert.fail();
    world.restore();
    world.writeCanaries(Object.keys(world.log.records.at(-1)?.beats ?? {}));
    await world.settle();
    assert.equal((await world.poll(page.cursor))?.page.provenAgeMs, null);
    await world.tryCanaries();
    assert.equal(await world.poll(page.cursor), undefined);
  });

  for (const [what, outcome, disturb] of [
    ['gives up where events do not come', 'events are late', () => {}],
    [
      'gives up where the table was replaced meanwhile',
      'overtaken',
      async (world: StreamWorld, round: number) => {
        await world.settle();
        if (round !== 2) return;
        world.restore();
        world.write(KEYS[0] ?? assert.fail(), false);
        await world.settle();
      },
    ],
  ] as const)
    it(what, async () => {
      const world = new StreamWorld();
      let rounds = 0;
      const deps = {
        log: world.log,
        write: async (canaries: readonly string[]) => {
          rounds++;
          world.writeCanaries(canaries);
        },
        newId: () => `t${rounds}`,
        clock: () => world.nowMs,
        wait: async (ms: number) => {
          world.nowMs += ms;
          await disturb(world, rounds);
        },
      };
      assert.equal(await tryCanaries(deps), outcome);
    });
});
