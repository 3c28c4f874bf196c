import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CONNECTION_LIMITS,
  ConnectionLimiter,
  type ConnectionLimits,
  IDLE_LIMIT_MS,
  STUCK_LIMIT_MS,
} from '../../../spop/server/connection-limiter.ts';
import { HandClock } from '../../support/clock.ts';
import { Random } from '../../support/spop/random.ts';

/** A connection that is what a test says it is. */
class Transport {
  readonly connection = this as never; // of a connection the limiter uses what is here
  readonly name: string;
  readonly activity: { lastReceivedAtMs: number };
  hasPending = false;
  heldBytes = 0;
  stuckSinceMs: number | undefined;
  readonly fate: string[] = [];

  constructor(name: string, lastReceivedAtMs: number) {
    this.name = name;
    this.activity = { lastReceivedAtMs };
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
  readonly peers: Transport[] = [];
  readonly limiter: ConnectionLimiter;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    this.limiter = new ConnectionLimiter(this.clock, (exceeded) => this.shortages.push(exceeded), {
      ...CONNECTION_LIMITS,
      ...limits,
    });
  }

  add(name = String(this.peers.length)): Transport {
    const peer = new Transport(name, this.clock.nowMs());
    this.peers.push(peer);
    this.limiter.add(peer);
    return peer;
  }

  /** One that HAProxy has: it asked a moment ago. */
  addAsker(name?: string): Transport {
    const peer = this.add(name);
    this.limiter.notified(peer);
    return peer;
  }

  hold(peer: Transport, bytes: number): void {
    peer.heldBytes += bytes;
    peer.stuckSinceMs ??= this.clock.nowMs();
    this.limiter.grew(bytes);
  }

  get gone(): string[] {
    return this.peers.filter(({ fate }) => fate.length > 0).map(({ name }) => name);
  }
}

describe('a connection limiter at its limit', () => {
  it('accepts every new connection and closes the oldest silent one; connections that sent a NOTIFY stay', () => {
    const world = new World({ connections: 100 });
    const askers = Array.from({ length: 20 }, () => world.addAsker());
    for (let count = 0; count < 1000; count++) world.add();
    assert.equal(world.limiter.size, 100);
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

  it('closes the active connection that is idle longest if few are silent', () => {
    const world = new World({ connections: 8 });
    const [first, idle, working] = Array.from({ length: 8 }, (_, index) => {
      world.clock.advance(1);
      return world.addAsker(String(index));
    }) as [Transport, Transport, Transport];
    first.activity.lastReceivedAtMs = world.clock.nowMs();
    idle.hasPending = true;
    const newcomers = [world.add('new'), world.add('newer')];
    assert.deepEqual(working.fate, ['abandoned', 'destroyed']);
    assert.deepEqual(world.gone, ['2', '3']);
    assert.deepEqual(
      newcomers.flatMap(({ fate }) => fate),
      [],
    );
  });

  it('closes a connection with pending frames only if all have some', () => {
    const world = new World({ connections: 4 });
    for (let index = 0; index < 4; index++) {
      world.clock.advance(1);
      world.addAsker(String(index)).hasPending = true;
    }
    world.add();
    assert.deepEqual(world.gone, ['0']);
  });

  it('never exceeds its limit, keeps the newest, and closes no active connection for silent ones, whatever comes', () => {
    for (let seed = 0; seed < 200; seed++) {
      const limit = 4 + (seed % 37);
      const world = new World({ connections: limit });
      const askers: Transport[] = [];
      for (const roll of rolls(seed, 300)) {
        const last = world.add();
        if (roll < 64 && askers.length < Math.floor(limit * 0.75) - 1) {
          world.limiter.notified(last);
          askers.push(last);
        }
        if (roll >= 250) world.limiter.remove(world.peers[roll % world.peers.length] as Transport);
        assert.ok(world.limiter.size <= limit);
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

describe('the bytes that connections hold', () => {
  it('are bounded: the connections that are stuck longest are closed until a quarter of the limit is free', () => {
    const world = new World({ heldBytes: 1000 });
    const peers = Array.from({ length: 12 }, () => world.add());
    for (const peer of peers.slice(0, 10)) {
      world.hold(peer, 100);
      world.clock.advance(1);
    }
    assert.deepEqual(world.gone, []);
    world.hold(peers[10] as Transport, 150);
    assert.deepEqual(world.gone, ['0', '1', '2', '3']);
    assert.deepEqual([world.limiter.heldBytes, new Set(world.shortages)], [750, new Set(['memory'])]);
    world.hold(peers[11] as Transport, 700);
    assert.deepEqual([world.gone.length, world.limiter.heldBytes], [11, 700]);
  });

  it('never exceed the limit, whichever connections hold them or close', () => {
    for (let seed = 0; seed < 100; seed++) {
      const world = new World({ heldBytes: 2000 });
      for (const roll of rolls(seed, 200)) {
        if (world.limiter.size < 20) world.add();
        const there = world.peers.filter(({ fate }) => fate.length === 0);
        const peer = there[roll % there.length] as Transport;
        if (roll < 200) world.hold(peer, roll * 3);
        else if (roll < 230) {
          peer.stuckSinceMs = undefined; // its frame is whole
          world.limiter.grew(-peer.heldBytes);
          peer.heldBytes = 0;
        } else {
          peer.fate.push('closed');
          world.limiter.remove(peer);
        }
        const held = world.peers.filter(({ fate }) => fate.length === 0).reduce((sum, of) => sum + of.heldBytes, 0);
        assert.ok(held <= 2000, `seed ${seed}: ${held}`);
        world.clock.advance(1);
      }
    }
  });

  it('do not include those of closed connections, nor those read in the meantime', () => {
    const world = new World({ heldBytes: 1000 });
    const [gone, read, new1] = [world.add(), world.add(), world.add()];
    world.hold(gone, 400);
    world.hold(read, 400);
    world.limiter.remove(gone);
    read.heldBytes = 0;
    world.hold(new1, 900);
    assert.deepEqual([world.gone, world.limiter.heldBytes], [[], 900]);
  });
});

describe('the time limits of connections', () => {
  it('close connections with a partial frame or unread ACKs for five to six seconds', () => {
    const world = new World();
    const [stuck, fine] = [world.add(), world.add()];
    world.clock.advance(500);
    world.hold(stuck, 1);
    world.clock.advance(STUCK_LIMIT_MS - 1);
    assert.deepEqual(world.gone, []);
    world.clock.advance(1000);
    assert.deepEqual([stuck.fate[0], fine.fate], ['failed 2', []]);
  });

  it('close connections that are idle for longer than HAProxy keeps them open, and no others', () => {
    const world = new World();
    const [silent, heard] = [world.addAsker(), world.addAsker()];
    world.clock.advance(IDLE_LIMIT_MS - 1000);
    heard.activity.lastReceivedAtMs = world.clock.nowMs();
    assert.deepEqual(world.gone, []);
    world.clock.advance(1000);
    assert.deepEqual([silent.fate, heard.fate], [['drained'], []]);
  });

  it('leave no timer without connections', () => {
    const world = new World();
    const peers = [world.add(), world.addAsker()];
    assert.equal(world.clock.timers, 1);
    for (const peer of peers) world.limiter.remove(peer);
    assert.equal(world.clock.timers, 0);
    world.limiter.remove(world.add());
    assert.equal(world.clock.timers, 0);
  });
});

/** Numbers below 256. */
function rolls(seed: number, count: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.below(256));
}
