import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CROWD_LIMITS, Crowd, type CrowdLimits, IDLE_LIMIT_MS, PATIENCE_MS } from '../../../agent/server/crowd.ts';
import { HandClock } from '../../support/clock.ts';
import { Random } from '../../support/spop/random.ts';

/** A connection that is what a test says it is. */
class Peer {
  readonly connection = this as never; // of a connection the crowd uses what is here
  readonly name: string;
  readonly activity: { heardAtMs: number };
  isWorking = false;
  heldBytes = 0;
  stuckSinceMs: number | undefined;
  readonly fate: string[] = [];

  constructor(name: string, heardAtMs: number) {
    this.name = name;
    this.activity = { heardAtMs };
  }

  abandon(): void {
    this.fate.push('abandoned');
  }
  destroy(): void {
    this.fate.push('destroyed');
  }
  drain(): void {
    this.fate.push('drained');
  }
  fail({ status }: { status: number }): void {
    this.fate.push(`failed ${status}`);
  }
}

class World {
  readonly clock = new HandClock();
  readonly shortages: string[] = [];
  readonly peers: Peer[] = [];
  readonly crowd: Crowd;

  constructor(limits: Partial<CrowdLimits> = {}) {
    this.crowd = new Crowd(this.clock, (shortage) => this.shortages.push(shortage), { ...CROWD_LIMITS, ...limits });
  }

  add(name = String(this.peers.length)): Peer {
    const peer = new Peer(name, this.clock.nowMs());
    this.peers.push(peer);
    this.crowd.add(peer);
    return peer;
  }

  /** One that HAProxy has: it asked a moment ago. */
  addAsker(name?: string): Peer {
    const peer = this.add(name);
    this.crowd.asked(peer);
    return peer;
  }

  hold(peer: Peer, bytes: number): void {
    peer.heldBytes += bytes;
    peer.stuckSinceMs ??= this.clock.nowMs();
    this.crowd.grew(bytes);
  }

  get gone(): string[] {
    return this.peers.filter(({ fate }) => fate.length > 0).map(({ name }) => name);
  }
}

describe('a crowd of connections that is full', () => {
  it('takes in every new one, and the first that never asked makes way: whoever asks keeps its place', () => {
    const world = new World({ connections: 100 });
    const askers = Array.from({ length: 20 }, () => world.addAsker());
    for (let count = 0; count < 1000; count++) world.add();
    assert.equal(world.crowd.size, 100);
    assert.deepEqual(
      askers.filter(({ fate }) => fate.length > 0),
      [],
    );
    assert.deepEqual(
      world.gone,
      world.peers.slice(20, 20 + 1020 - 100).map(({ name }) => name),
    );
    assert.deepEqual(new Set(world.shortages), new Set(['connections']));
  });

  it('leaves those alone that came a moment ago: where few never asked, the asker that is idle longest makes way', () => {
    const world = new World({ connections: 8 });
    const [first, idle, working] = Array.from({ length: 8 }, (_, index) => {
      world.clock.advance(1);
      return world.addAsker(String(index));
    }) as [Peer, Peer, Peer];
    first.activity.heardAtMs = world.clock.nowMs();
    idle.isWorking = true;
    const newcomers = [world.add('new'), world.add('newer')];
    assert.deepEqual(working.fate, ['abandoned', 'destroyed']);
    assert.deepEqual(world.gone, ['2', '3']);
    assert.deepEqual(
      newcomers.flatMap(({ fate }) => fate),
      [],
    );
  });

  it('lets one go whose answer is owed only where all are owed one', () => {
    const world = new World({ connections: 4 });
    for (let index = 0; index < 4; index++) {
      world.clock.advance(1);
      world.addAsker(String(index)).isWorking = true;
    }
    world.add();
    assert.deepEqual(world.gone, ['0']);
  });

  it('is never larger than its limit, keeps the newest, and cuts no asker for those that never ask, whatever comes', () => {
    for (let seed = 0; seed < 200; seed++) {
      const limit = 4 + (seed % 37);
      const world = new World({ connections: limit });
      const askers: Peer[] = [];
      for (const roll of rolls(seed, 300)) {
        const last = world.add();
        if (roll < 64 && askers.length < Math.floor(limit * 0.75) - 1) {
          world.crowd.asked(last);
          askers.push(last);
        }
        if (roll >= 250) world.crowd.remove(world.peers[roll % world.peers.length] as Peer);
        assert.ok(world.crowd.size <= limit);
        assert.deepEqual(last.fate, []);
        world.clock.advance(roll % 3);
      }
      assert.deepEqual(
        askers.filter(({ fate }) => fate.length > 0),
        [],
        `seed ${seed}`,
      );
    }
  });
});

describe('what a crowd holds', () => {
  it('is bounded: what waits longest goes, until a quarter of the limit is free', () => {
    const world = new World({ heldBytes: 1000 });
    const peers = Array.from({ length: 12 }, () => world.add());
    for (const peer of peers.slice(0, 10)) {
      world.hold(peer, 100);
      world.clock.advance(1);
    }
    assert.deepEqual(world.gone, []);
    world.hold(peers[10] as Peer, 150);
    assert.deepEqual(world.gone, ['0', '1', '2', '3']);
    assert.deepEqual([world.crowd.heldBytes, new Set(world.shortages)], [750, new Set(['memory'])]);
    world.hold(peers[11] as Peer, 700);
    assert.deepEqual([world.gone.length, world.crowd.heldBytes], [11, 700]);
  });

  it('is never above its limit, whoever holds and whoever goes', () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = new World({ heldBytes: 2000 });
      for (const roll of rolls(seed, 200)) {
        if (world.crowd.size < 20) world.add();
        const there = world.peers.filter(({ fate }) => fate.length === 0);
        const peer = there[roll % there.length] as Peer;
        if (roll < 200) world.hold(peer, roll * 3);
        else if (roll < 230) {
          peer.stuckSinceMs = undefined; // its frame is whole
          world.crowd.grew(-peer.heldBytes);
          peer.heldBytes = 0;
        } else {
          peer.fate.push('closed');
          world.crowd.remove(peer);
        }
        const held = world.peers.filter(({ fate }) => fate.length === 0).reduce((sum, of) => sum + of.heldBytes, 0);
        assert.ok(held <= 2000, `seed ${seed}: ${held}`);
        world.clock.advance(1);
      }
    }
  });

  it('counts nothing of those that are gone, and of what was read meanwhile', () => {
    const world = new World({ heldBytes: 1000 });
    const [gone, read, new1] = [world.add(), world.add(), world.add()];
    world.hold(gone, 400);
    world.hold(read, 400);
    world.crowd.remove(gone);
    read.heldBytes = 0;
    world.hold(new1, 900);
    assert.deepEqual([world.gone, world.crowd.heldBytes], [[], 900]);
  });
});

describe('the time limits of a crowd', () => {
  it('end what waits for its rest, or to be read, for five seconds, to a second', () => {
    const world = new World();
    const [stuck, fine] = [world.add(), world.add()];
    world.clock.advance(500);
    world.hold(stuck, 1);
    world.clock.advance(PATIENCE_MS - 1);
    assert.deepEqual(world.gone, []);
    world.clock.advance(1000);
    assert.deepEqual([stuck.fate[0], fine.fate], ['failed 2', []]);
  });

  it('end what was silent for longer than HAProxy leaves it open, and nothing that is not', () => {
    const world = new World();
    const [silent, heard] = [world.addAsker(), world.addAsker()];
    world.clock.advance(IDLE_LIMIT_MS - 1000);
    heard.activity.heardAtMs = world.clock.nowMs();
    assert.deepEqual(world.gone, []);
    world.clock.advance(1000);
    assert.deepEqual([silent.fate, heard.fate], [['drained'], []]);
  });

  it('leave no timer when nobody is there', () => {
    const world = new World();
    const peers = [world.add(), world.addAsker()];
    assert.equal(world.clock.timers, 1);
    for (const peer of peers) world.crowd.remove(peer);
    assert.equal(world.clock.timers, 0);
    world.crowd.remove(world.add());
    assert.equal(world.clock.timers, 0);
  });
});

/** Numbers below 256. */
function rolls(seed: number, count: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.below(256));
}
