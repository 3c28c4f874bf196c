import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { AckActions } from '../../../spop/ack-payload.ts';
import type { SpopError } from '../../../spop/errors.ts';
import { ConnectionLimiter, type ConnectionLimits } from '../../../spop/server/connection-limiter.ts';
import type { ListenAddress } from '../../../spop/server/listen-address.ts';
import { Listener } from '../../../spop/server/listener.ts';
import { HandClock } from '../../support/clock.ts';
import { hideInternals } from '../../support/hidden-internals.ts';
import { hasIpv6, isRoot } from '../../support/scope.ts';
import { Client } from '../../support/spop/client.ts';
import { answerOfBytes, NOTHING, Pending, settled } from '../../support/spop/conversation.ts';
import { disconnect, HEALTH_CHECK, hello, notify } from '../../support/spop/naive-codec.ts';

const LOOPBACK: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: 0 };

interface World {
  readonly listener: Listener;
  readonly clock: HandClock;
  readonly limiter: ConnectionLimiter;
  readonly problems: string[];
  readonly asked: () => number;
}

function make(
  t: TestContext,
  target: ListenAddress,
  answer: () => AckActions | Promise<AckActions> = () => NOTHING,
  limits?: ConnectionLimits,
): World {
  const clock = new HandClock();
  const problems: string[] = [];
  let asked = 0;
  const handler = {
    answer() {
      asked++;
      return answer();
    },
    overload: () => NOTHING,
    answerUsual: () => undefined,
  };
  const limiter = new ConnectionLimiter(clock, (exceeded) => problems.push(`made way: ${exceeded}`), limits);
  const events = {
    protocolError: ({ message }: SpopError) => problems.push(message),
    disconnectReceived: (status: number) => problems.push(`complaint ${status}`),
    accepted() {},
    answered() {},
    answeredLate() {},
    healthChecked() {},
  };
  const listener = new Listener(target, { current: handler }, clock, events, limiter);
  t.after(() => listener.destroy());
  return { listener, clock, limiter, problems, asked: () => asked };
}

async function listen(...args: Parameters<typeof make>): Promise<World> {
  const world = make(...args);
  await world.listener.open();
  return world;
}

async function client(t: TestContext, { listener }: World, options: { allowHalfOpen?: boolean } = {}): Promise<Client> {
  const { address } = listener;
  const target = address.startsWith('unix:')
    ? { path: address.slice(5) }
    : { host: '127.0.0.1', port: Number(address.slice(address.lastIndexOf(':') + 1)) };
  const made = await Client.connect({ ...target, ...options });
  t.after(() => made.socket.destroy());
  return made;
}

/** A folder of its own for sockets. */
function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'listener-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function serverAt(t: TestContext, path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return server;
}

/** A socket file that nobody listens on, as a killed process leaves it: Node removes only the name it was made with. */
async function staleSocket(t: TestContext, path: string): Promise<void> {
  const server = await serverAt(t, `${path}.first`);
  renameSync(`${path}.first`, path);
  server.close();
  await once(server, 'close');
  assert.ok(lstatSync(path).isSocket());
}

/** A server is closed a little before the last of its sockets is. */
async function expectNoTimers({ clock }: World): Promise<void> {
  for (let turn = 0; turn < 10 && clock.timers > 0; turn++) await settled();
  assert.equal(clock.timers, 0);
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

// Everything holds with reads into shared bytes, and with 'data' events where Node has not the internals for those.
for (const reads of ['shared reads', 'data events'] as const)
  describe(`with ${reads}`, () => {
    if (reads === 'data events') {
      let show = () => {};
      before(() => {
        show = hideInternals();
      });
      after(() => show());
    }

    describe('a TCP listener', () => {
      it('reports its actual port, and answers HELLO and NOTIFY there', async (t) => {
        const world = await listen(t, LOOPBACK, () => answerOfBytes(2));
        assert.match(world.listener.address, /^tcp:\/\/127\.0\.0\.1:\d+$/);
        const haproxy = await client(t, world);
        haproxy.socket.write(hello());
        haproxy.socket.write(notify(5, 1));
        const frames = await haproxy.received(2);
        assert.deepEqual(
          frames.map(({ type, streamId }) => [type, streamId]),
          [
            [101, 0n],
            [103, 5n],
          ],
        );
      });

      it('says which port is taken', async (t) => {
        const first = await listen(t, LOOPBACK);
        const port = Number(first.listener.address.split(':').at(-1));
        const second = make(t, { type: 'tcp', host: '127.0.0.1', port });
        await assert.rejects(
          second.listener.open(),
          new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
        );
      });

      if (hasIpv6)
        it('writes an IPv6 address in brackets', async (t) => {
          const world = await listen(t, { type: 'tcp', host: '::1', port: 0 });
          assert.match(world.listener.address, /^tcp:\/\/\[::1\]:\d+$/);
        });
    });

    describe('a unix listener', () => {
      it('is open to owner and group, and leaves the umask as it was', async (t) => {
        const path = join(folder(t), 'agent.sock');
        const before = process.umask();
        const world = await listen(t, { type: 'unix', path });
        assert.equal(modeOf(path), 0o660);
        assert.equal(process.umask(), before);
        assert.equal(world.listener.address, `unix:${path}`);
        const haproxy = await client(t, world);
        haproxy.socket.write(hello());
        await haproxy.received(1);
      });

      it('has the mode it is given', async (t) => {
        const path = join(folder(t), 'agent.sock');
        await listen(t, { type: 'unix', path, mode: 0o606 });
        assert.equal(modeOf(path), 0o606);
      });

      // Only root may give files away.
      if (isRoot)
        it('has the owner and the group it is given, by name or by number', async (t) => {
          const path = join(folder(t), 'agent.sock');
          const first = await listen(t, { type: 'unix', path, owner: 'daemon', group: 'daemon' });
          assert.deepEqual([statSync(path).uid, statSync(path).gid], [1, 1]);
          await first.listener.drain();
          await listen(t, { type: 'unix', path, group: '12345' });
          assert.deepEqual([statSync(path).uid, statSync(path).gid], [process.getuid?.(), 12345]);
        });

      for (const who of ['owner', 'group'] as const)
        it(`refuses a ${who} that is not there, by its name`, async (t) => {
          const path = join(folder(t), 'agent.sock');
          const { listener } = make(t, { type: 'unix', path, [who]: 'no-such-name' });
          await assert.rejects(listener.open(), /no-such-name/);
        });

      it('replaces a stale socket', async (t) => {
        const path = join(folder(t), 'agent.sock');
        await staleSocket(t, path);
        const world = await listen(t, { type: 'unix', path });
        const haproxy = await client(t, world);
        haproxy.socket.write(hello());
        await haproxy.received(1);
      });

      it('does not replace a socket in use', async (t) => {
        const path = join(folder(t), 'agent.sock');
        const first = await listen(t, { type: 'unix', path });
        await assert.rejects(make(t, { type: 'unix', path }).listener.open(), new RegExp(`${path} is in use`));
        const haproxy = await client(t, first);
        haproxy.socket.write(hello());
        await haproxy.received(1);
      });

      it('does not touch a file or folder that is not a socket', async (t) => {
        const path = folder(t);
        writeFileSync(join(path, 'file'), 'precious');
        for (const other of [join(path, 'file'), path])
          await assert.rejects(make(t, { type: 'unix', path: other }).listener.open(), /exists and is not a socket/);
        assert.equal(statSync(join(path, 'file')).size, 8);
      });

      it('names the path if its folder does not exist', async (t) => {
        const path = join(folder(t), 'missing', 'agent.sock');
        await assert.rejects(make(t, { type: 'unix', path }).listener.open(), new RegExp(`cannot listen on ${path}`));
      });

      it('removes its socket when it stops', async (t) => {
        const path = join(folder(t), 'agent.sock');
        const { listener } = await listen(t, { type: 'unix', path });
        await listener.drain();
        assert.equal(lstatSync(path, { throwIfNoEntry: false }), undefined);
      });
    });

    describe('connections that end', () => {
      const ways: readonly (readonly [what: string, act: (client: Client) => unknown])[] = [
        ['opened and closed without a byte', ({ socket }) => socket.end()],
        ['opened and reset without a byte', ({ socket }) => socket.resetAndDestroy()],
        [
          'reset in the middle of a HELLO',
          ({ socket }) => socket.write(hello().subarray(0, 9), () => socket.resetAndDestroy()),
        ],
        ['closed in the middle of a HELLO', ({ socket }) => socket.end(hello().subarray(0, 9))],
        [
          'reset after a health check, as HAProxy does at every interval',
          async (haproxy) => {
            haproxy.socket.write(HEALTH_CHECK);
            await haproxy.received(1);
            haproxy.socket.resetAndDestroy();
          },
        ],
        [
          'reset while answers are owed',
          async (haproxy) => {
            haproxy.socket.write(hello());
            haproxy.socket.write(notify(1, 1));
            await haproxy.received(1);
            haproxy.socket.resetAndDestroy();
          },
        ],
        [
          'said goodbye to',
          ({ socket }) => socket.write(Buffer.concat([hello(), disconnect(2, 'a timeout occurred')])),
        ],
      ];
      for (const [what, act] of ways) {
        it(`are removed without a log line when ${what}`, async (t) => {
          const pending = new Pending<AckActions>();
          const world = await listen(t, LOOPBACK, () => pending.make(1));
          const haproxy = await client(t, world);
          await act(haproxy);
          await haproxy.closed();
          await world.listener.drain();
          assert.deepEqual(world.problems, []);
          await expectNoTimers(world);
          if (world.asked() > 0) pending.keep(1, NOTHING);
          await settled();
        });
      }

      it('are reported after a protocol violation, once the peer got its DISCONNECT', async (t) => {
        const world = await listen(t, LOOPBACK);
        const haproxy = await client(t, world);
        haproxy.socket.write(hello());
        haproxy.socket.write(notify(1, 0));
        await haproxy.received(2);
        await haproxy.closed();
        assert.equal(haproxy.frames[1]?.type, 102);
        assert.deepEqual(world.problems, ['NOTIFY with frame-id 0']);
      });

      it('are destroyed a second after DISCONNECT if the peer keeps its end open', async (t) => {
        const world = await listen(t, LOOPBACK);
        const haproxy = await client(t, world, { allowHalfOpen: true });
        haproxy.socket.write(hello());
        await haproxy.received(1);
        const drained = world.listener.drain();
        world.clock.advance(60);
        await haproxy.received(2);
        let isDrained = false;
        drained.then(() => {
          isDrained = true;
        });
        await once(haproxy.socket, 'end');
        world.clock.advance(999);
        await settled();
        assert.equal(isDrained, false);
        world.clock.advance(1);
        await drained;
        await expectNoTimers(world);
      });
    });

    describe('a peer that does not read', () => {
      it('is not read from, until it reads again, and then gets every answer', async (t) => {
        const total = 60_000;
        const world = await listen(t, LOOPBACK, () => answerOfBytes(790));
        const haproxy = await client(t, world);
        haproxy.socket.write(hello());
        await haproxy.received(1);
        haproxy.socket.pause();
        const batch = Buffer.concat(Array.from({ length: 1000 }, (_, index) => notify(index, 1, ['m'.repeat(200)])));
        for (let sent = 0; sent < total; sent += 1000) haproxy.socket.write(batch);
        // Stalled for as long as it takes to go round many times: the kernel's buffers are full both ways.
        for (let last = -1, quiet = 0; quiet < 500; quiet = world.asked() === last ? quiet + 1 : 0) {
          last = world.asked();
          await settled();
        }
        assert.ok(world.asked() < total, `${world.asked()} of ${total} were read`);
        haproxy.socket.resume();
        await haproxy.received(1 + total);
        assert.equal(world.asked(), total);
      });
    });

    describe('a listener that drains', () => {
      it('accepts no connection while it answers pending frames, then sends DISCONNECT', async (t) => {
        const pending = new Pending<AckActions>();
        const world = await listen(t, LOOPBACK, () => pending.make(1));
        const port = Number(world.listener.address.split(':').at(-1));
        const haproxy = await client(t, world);
        const idle = await client(t, world);
        const silent = await client(t, world);
        for (const { socket } of [haproxy, idle]) socket.write(hello());
        await Promise.all([haproxy.received(1), idle.received(1)]);
        haproxy.socket.write(notify(1, 1));
        while (world.asked() === 0) await settled();
        const drained = world.listener.drain();
        world.clock.advance(60);
        await assert.rejects(Client.connect({ host: '127.0.0.1', port }), { code: 'ECONNREFUSED' });
        await Promise.all([idle.closed(), silent.closed()]);
        assert.deepEqual([idle.frames.map(({ type }) => type), silent.frames], [[101, 102], []]);
        assert.deepEqual(
          haproxy.frames.map(({ type }) => type),
          [101],
        );
        pending.keep(1, NOTHING);
        await drained;
        await haproxy.closed();
        assert.deepEqual(
          haproxy.frames.map(({ type }) => type),
          [101, 103, 102],
        );
        assert.deepEqual(world.problems, []);
      });

      it('is done at once without connections, and before it was opened', async (t) => {
        await (await listen(t, LOOPBACK)).listener.drain();
        await make(t, LOOPBACK).listener.drain();
      });

      it('can be cut short', async (t) => {
        const world = await listen(t, LOOPBACK, () => new Promise(() => {}));
        const haproxy = await client(t, world);
        haproxy.socket.write(hello());
        haproxy.socket.write(notify(1, 1));
        while (world.asked() === 0) await settled();
        const drained = world.listener.drain();
        world.listener.destroy();
        await drained;
        await haproxy.closed();
        assert.deepEqual(
          haproxy.frames.map(({ type }) => type),
          [101],
        );
      });
    });
  });
