import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { SpopError } from '../../../spop/errors.ts';
import {
  CONNECTION_LIMITS,
  ConnectionLimiter,
  type ConnectionLimits,
  IDLE_LIMIT_MS,
  STUCK_LIMIT_MS,
} from '../../../spop/server/connection-limiter.ts';
import { Listener } from '../../../spop/server/listener.ts';
import { HandClock } from '../../support/clock.ts';
import { Client } from '../../support/spop/client.ts';
import { answerOfBytes, settled } from '../../support/spop/conversation.ts';
import { frame, hello, notify, u32 } from '../../support/spop/naive-codec.ts';

const FRAME_BYTES = 1024 * 1024;
const GREEDY_HELLO = hello({ 'max-frame-size': u32(FRAME_BYTES) });
const LARGE = frame({ type: 3, stream: 1, frame: 1, payload: new Uint8Array(FRAME_BYTES - 100) });

/** A listener with peers at real sockets. */
class Port {
  readonly clock = new HandClock();
  readonly problems: string[] = [];
  readonly limiter: ConnectionLimiter;
  readonly listener: Listener;
  readonly #path: string;
  readonly #test: TestContext;
  #asked = 0;

  constructor(t: TestContext, limits: Partial<ConnectionLimits> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'limiter-'));
    this.#path = join(folder, 'agent.sock');
    this.#test = t;
    const handler = {
      answer: () => answerOfBytes(700),
      overload: () => answerOfBytes(1),
      answerUsual: () => undefined,
    };
    const events = {
      protocolError: ({ status }: SpopError) => this.problems.push(`error ${status}`),
      disconnectReceived: (status: number) => this.problems.push(`complaint ${status}`),
      accepted() {},
      answered() {},
      answeredLate() {},
      healthChecked() {},
    };
    const evicted = (exceeded: string) => this.problems.push(exceeded);
    this.limiter = new ConnectionLimiter(this.clock, evicted, { ...CONNECTION_LIMITS, ...limits });
    this.listener = new Listener(
      { type: 'unix', path: this.#path },
      { current: handler },
      this.clock,
      events,
      this.limiter,
    );
    t.after(() => {
      this.listener.destroy();
      rmSync(folder, { recursive: true });
    });
  }

  static async open(...args: ConstructorParameters<typeof Port>): Promise<Port> {
    const port = new Port(...args);
    await port.listener.open();
    return port;
  }

  /** One that introduced itself; its answer to that has come, unless it was cut before. */
  async greeted(bytes = hello()): Promise<Client> {
    const client = await Client.connect({ path: this.#path });
    this.#test.after(() => client.socket.destroy());
    client.socket.write(bytes);
    await Promise.race([client.received(1), client.closed()]);
    return client;
  }

  /** The event loop's, and of those that wait for theirs. */
  async turn(): Promise<void> {
    await settled();
    this.clock.advance(1);
  }

  /** Is a question on this connection answered? */
  async answers(client: Client): Promise<boolean> {
    const before = client.frames.length;
    client.socket.write(notify(++this.#asked, 1));
    await Promise.race([client.received(before + 1), client.closed()]);
    return client.frames.length > before;
  }
}

describe('a listener that anybody can reach', { timeout: 30_000 }, () => {
  it('answers HAProxy on old and new connections while others hold and reopen theirs', async (t) => {
    const port = await Port.open(t, { connections: 64 });
    const haproxy = await Promise.all(Array.from({ length: 4 }, () => port.greeted()));
    for (const each of haproxy) assert.ok(await port.answers(each));
    const strangers = await Promise.all(Array.from({ length: 200 }, () => port.greeted()));
    for (let turn = 0; turn < 20; turn++) {
      // Whoever is turned away is there again.
      await Promise.all(Array.from({ length: 20 }, () => port.greeted()));
      const fresh = await port.greeted();
      for (const each of [fresh, ...haproxy]) assert.ok(await port.answers(each), `turn ${turn}`);
      fresh.socket.destroy();
      await fresh.closed();
    }
    assert.equal(strangers.filter(({ socket }) => !socket.destroyed).length, 0);
    assert.ok(port.limiter.size <= 64 && port.listener.connections <= 64 + 20);
    assert.deepEqual(new Set(port.problems), new Set(['connections']));
  });

  it('holds no more of endless frames than its limit, and keeps answering', async (t) => {
    const heldBytes = 4 * FRAME_BYTES;
    const port = await Port.open(t, { heldBytes });
    const haproxy = await port.greeted();
    const strangers = await Promise.all(Array.from({ length: 12 }, () => port.greeted(GREEDY_HELLO)));
    let most = 0;
    for (const [index, { socket }] of strangers.entries()) {
      port.clock.advance(1);
      const before = port.limiter.heldBytes;
      socket.write(LARGE.subarray(0, LARGE.length - 8));
      // Of the first ones all comes; a later one takes the place of one before.
      if (index < 4) while (port.limiter.heldBytes < before + LARGE.length - 8) await port.turn();
      else while (strangers[0]?.socket.destroyed !== true) await port.turn();
      most = Math.max(most, port.limiter.heldBytes);
      assert.ok(await port.answers(haproxy));
    }
    assert.ok(most > heldBytes / 2 && most <= heldBytes, `${most} bytes`);
    assert.deepEqual(new Set(port.problems), new Set(['memory']));
    assert.ok(strangers[0]?.socket.destroyed, 'the one that began first is gone');
  });

  it('takes a frame as large as HAProxy announced, and holds nothing of it afterwards', async (t) => {
    const port = await Port.open(t, { heldBytes: 2 * FRAME_BYTES });
    const haproxy = await port.greeted(GREEDY_HELLO);
    for (let turn = 0; turn < 5; turn++) {
      haproxy.socket.write(LARGE);
      await haproxy.received(2 + turn);
      assert.ok(port.limiter.heldBytes <= 4096, `${port.limiter.heldBytes} bytes`);
    }
    assert.deepEqual(port.problems, []);
  });

  it('closes a connection with a partial frame after five seconds, with status 2', async (t) => {
    const port = await Port.open(t);
    const [stranger, haproxy] = [await port.greeted(), await port.greeted()];
    stranger.socket.write(notify(1, 1).subarray(0, 9));
    while (port.limiter.heldBytes === 0) await settled();
    port.clock.advance(STUCK_LIMIT_MS + 1000);
    await stranger.closed();
    assert.deepEqual([stranger.frames.at(-1)?.type, port.problems], [102, ['error 2']]);
    assert.ok(await port.answers(haproxy));
  });

  it('closes a connection whose peer does not read its ACKs for five seconds', async (t) => {
    const port = await Port.open(t);
    const stranger = await port.greeted();
    stranger.socket.pause();
    const batch = Buffer.concat(Array.from({ length: 2000 }, (_, index) => notify(index + 1, 1)));
    stranger.socket.write(batch);
    while (port.limiter.heldBytes === 0) await settled();
    port.clock.advance(STUCK_LIMIT_MS + 1000);
    assert.deepEqual(port.problems, ['error 2']);
    port.clock.advance(1000);
    while (port.listener.connections > 0) await settled();
    assert.equal(port.clock.timers, 0);
  });

  it('closes a connection that is idle for longer than HAProxy keeps it open', async (t) => {
    const port = await Port.open(t);
    const silent = await port.greeted();
    port.clock.advance(IDLE_LIMIT_MS - 1000);
    const heard = await port.greeted();
    assert.ok(await port.answers(heard));
    port.clock.advance(2000);
    await silent.closed();
    assert.deepEqual(
      silent.frames.map(({ type }) => type),
      [101, 102],
    );
    assert.ok(await port.answers(heard));
    assert.deepEqual(port.problems, []);
  });
});
