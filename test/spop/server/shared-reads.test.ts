import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { withSharedReads } from '../../../spop/server/shared-reads.ts';
import { hideInternals, withoutInternals } from '../../support/hidden-internals.ts';
import { settled } from '../../support/spop/conversation.ts';

/** Both ends of a connection whose accepted one is paused as yet. */
async function accepted(t: TestContext): Promise<{ server: Server; socket: Socket; client: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1'); // a TCP server has one
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    server.close();
  });
  return { server, socket, client };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settled();
}

describe('a socket with shared reads', () => {
  it('works with the Node that runs the tests: without it every read allocates 64 KiB', async (t) => {
    const { socket } = await accepted(t);
    const fast = withSharedReads(socket, () => {});
    assert.ok(fast);
    fast.destroy();
  });

  it('receives everything in order, in views into one shared buffer', async (t) => {
    const chunks: { text: string; buffer: ArrayBufferLike }[] = [];
    const receive = (chunk: Uint8Array) => chunks.push({ text: Buffer.from(chunk).toString(), buffer: chunk.buffer });
    for (let round = 0; round < 2; round++) {
      const { socket, client } = await accepted(t);
      const fast = withSharedReads(socket, receive);
      assert.ok(fast);
      t.after(() => fast.destroy());
      for (const text of ['one ', 'two ', 'three ']) {
        client.write(text);
        await settled();
      }
      await until(() => chunks.map(({ text }) => text).join('') === 'one two three '.repeat(round + 1));
    }
    assert.equal(new Set(chunks.map(({ buffer }) => buffer)).size, 1);
  });

  it('receives more than the buffer holds without loss', async (t) => {
    const { socket, client } = await accepted(t);
    let sum = 0;
    let count = 0;
    const fast = withSharedReads(socket, (chunk) => {
      for (const byte of chunk) sum += byte;
      count += chunk.length;
    });
    t.after(() => fast?.destroy());
    client.write(new Uint8Array(1_000_000).fill(3));
    await until(() => count >= 1_000_000);
    assert.equal(sum, 3_000_000);
  });

  it('gives nothing while it is paused', async (t) => {
    const { socket, client } = await accepted(t);
    let count = 0;
    const fast = withSharedReads(socket, (chunk) => {
      count += chunk.length;
    });
    assert.ok(fast);
    t.after(() => fast.destroy());
    fast.pause();
    client.write('x');
    for (let turn = 0; turn < 50; turn++) await settled();
    assert.equal(count, 0);
    fast.resume();
    await until(() => count === 1);
  });

  it('counts for the server, which closes once the socket has', async (t) => {
    const { server, socket, client } = await accepted(t);
    const fast = withSharedReads(socket, () => {});
    assert.ok(fast);
    let isClosed = false;
    server.close(() => {
      isClosed = true;
    });
    for (let turn = 0; turn < 20; turn++) await settled();
    assert.equal(isClosed, false);
    client.end();
    await once(fast, 'close');
    await until(() => isClosed);
  });

  it('is not created, and nothing is touched, if Node lacks the internals', async (t) => {
    const { socket, client } = await accepted(t);
    assert.equal(
      withSharedReads(withoutInternals(socket), () => assert.fail('no reads')),
      undefined,
    );
    client.write('x');
    const [chunk] = (await once(socket.resume(), 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'x');
    socket.destroy();
  });

  it('is not created from a closed socket', async (t) => {
    const { socket } = await accepted(t);
    socket.destroy();
    assert.equal(
      withSharedReads(socket, () => {}),
      undefined,
    );
  });
});

describe('the internals, hidden for a test', () => {
  it('are there again afterwards', async (t) => {
    const show = hideInternals();
    const hidden = await accepted(t);
    assert.equal(
      withSharedReads(hidden.socket, () => {}),
      undefined,
    );
    hidden.socket.destroy();
    show();
    assert.ok(!Object.hasOwn(Server.prototype, 'emit'));
  });
});
