import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startSite } from '../../dev/guarded-site.ts';
import { frame, hello, join, messages, notify, u32 } from '../support/spop/naive-codec.ts';
import { startTableFunction } from '../support/table-function.ts';

const LISTED = '127.55.0.1';
const VISITS = 40;
/** Far above what a busy machine takes: a visitor who passes was not asked about. */
const DEADLINE_MS = 400;
const FRAME_BYTES = 1024 * 1024;
const GREEDY_HELLO = hello({ 'max-frame-size': u32(FRAME_BYTES) });
const UNENDED = frame({ type: 3, stream: 1, frame: 1, payload: new Uint8Array(FRAME_BYTES - 100) }).subarray(0, -8);

interface Stranger {
  readonly what: string;
  readonly count: number;
  /** So many come again at once when they are turned away. */
  readonly again?: number;
  act(socket: Socket): void;
}

const STRANGERS: readonly Stranger[] = [
  { what: 'say HELLO and nothing more', count: 8192, again: 20, act: (socket) => socket.write(hello()) },
  {
    what: 'send all but the end of a frame of a mebibyte',
    count: 1500,
    act(socket) {
      socket.write(GREEDY_HELLO);
      socket.once('data', () => socket.write(UNENDED));
    },
  },
  { what: 'say nothing', count: 1000, act() {} },
  { what: 'say half a HELLO', count: 1000, act: (socket) => socket.write(hello().subarray(0, 20)) },
  { what: 'speak HTTP', count: 500, act: (socket) => socket.write('POST / HTTP/1.1\r\nhost: a\r\n\r\n') },
  { what: 'send random bytes', count: 500, act: (socket) => socket.write(randomBytes(5000)) },
  { what: 'announce 4 GiB', count: 300, act: (socket) => socket.write(Buffer.from('fffffff0', 'hex')) },
  {
    what: 'ask 20,000 times and read nothing',
    count: 20,
    act(socket) {
      socket.pause();
      socket.write(hello());
      socket.write(join(...Array.from({ length: 20_000 }, (_, index) => notify(index + 1, 1))));
    },
  },
  {
    what: 'send 3000 messages a frame',
    count: 100,
    act(socket) {
      socket.write(hello());
      const payload = messages(Array.from({ length: 3000 }, () => ['m']));
      socket.write(frame({ type: 3, stream: 1, frame: 1, payload }));
    },
  },
];

describe('strangers at the port of the agent', () => {
  for (const stranger of STRANGERS)
    it(`that ${stranger.what}, ${stranger.count} of them, let no listed visitor pass`, {
      timeout: 120_000,
    }, async (t) => {
      const { visits, target } = await siteWithPort(t);
      assert.equal(await visits(), VISITS, 'before');
      const crowd = new Set<Socket>();
      const come = (act: Stranger['act'], left: () => void) => {
        const socket = connect(target);
        crowd.add(socket);
        socket.on('error', () => {});
        socket.once('connect', () => act(socket));
        socket.once('close', () => {
          crowd.delete(socket);
          left();
        });
        return once(socket, 'connect').catch(() => {});
      };
      for (let came = 0; came < stranger.count; came += 100) {
        const some = Array.from({ length: Math.min(100, stranger.count - came) }, () => come(stranger.act, () => {}));
        await Promise.all(some);
      }
      let isOver = false;
      const again = () => void (isOver || come(stranger.act, () => setTimeout(again, 2)));
      for (let count = 0; count < (stranger.again ?? 0); count++) again();
      for (let turn = 0; turn < 5; turn++) {
        assert.equal(await visits(), VISITS, `turn ${turn}, ${crowd.size} strangers`);
        await pause(700); // HAProxy's checks have their turn
      }
      isOver = true;
      for (const socket of crowd) socket.destroy();
      assert.equal(await visits(), VISITS, 'afterwards');
    });
});

/** A site whose agent listens on TCP; how many of forty listed visitors it denies. */
async function siteWithPort(t: TestContext) {
  const table = await startTableFunction();
  t.after(() => table.close());
  await table.type({ subject: `ip:${LISTED}`, action: 'deny' });
  const config = { deadlineMs: DEADLINE_MS, messages: { m: { subjects: { ip: 'src' } } } };
  const site = await startSite({ backendUrl: table.url, listen: 'tcp', config });
  t.after(() => site.stop());
  const [address] = site.agent.settings.listen;
  assert.equal(address?.type, 'tcp');
  while ((await site.visit(LISTED)).status !== 403) await pause(20); // until it is cached
  const visits = async () => {
    let denied = 0;
    for (let count = 0; count < VISITS; count++) if ((await site.visit(LISTED)).status === 403) denied++;
    return denied;
  };
  return { visits, target: { host: '127.0.0.1', port: address.port } };
}
