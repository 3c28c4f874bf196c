import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_BASE } from '../../updates/record.ts';
import { tryCanaries } from '../../updates/trial.ts';
import { KEYS, SHARDS, StreamWorld } from './stream-world.ts';

const HOUR_MS = 3_600_000;

describe('the trial of canaries', () => {
  it('keeps one canary for each shard, and begins a base', async () => {
    const world = new StreamWorld();
    await world.build();
    const head = world.log.records.at(-1) ?? assert.fail();
    assert.equal(Object.keys(head.beats).length, SHARDS);
    assert.notEqual(head.base, NO_BASE);
    for (const beat of Object.values(head.beats)) assert.ok(world.nowMs - beat < 5000, `${world.nowMs - beat} ms`);
  });

  it('is due again after six hours, and keeps the base', async () => {
    const world = new StreamWorld();
    await world.build();
    const first = world.log.records.at(-1);
    for (const [ms, isTried] of [
      [6 * HOUR_MS - 60_000, false],
      [60_000, true],
    ] as const) {
      world.pass(ms);
      await world.build();
      const last = world.log.records.at(-1);
      assert.equal(last?.base, first?.base);
      assert.equal((last?.triedMs ?? 0) > (first?.triedMs ?? 0), isTried);
    }
  });

  it('begins another base where there is none, so that old cursors are gone', async () => {
    const world = new StreamWorld();
    await world.build();
    const { page } = (await world.poll(undefined)) ?? assert.fail();
    world.restore();
    world.writeCanaries(Object.keys(world.log.records.at(-1)?.beats ?? {}));
    await world.settle();
    assert.equal((await world.poll(page.cursor))?.page.provenAgeMs, null);
    await world.build();
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
      await world.build();
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
