import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { bindConflicts } from '../../config/bind-conflicts.ts';
import { type ListenAddress, parseListenAddress } from '../../config/listen-address.ts';
import { hasIpv6 } from '../support/scope.ts';

const HOSTS = [
  '0.0.0.0',
  '127.0.0.1',
  '127.0.0.2',
  '127.1',
  ...(hasIpv6 ? ['::', '::1', '::ffff:127.0.0.1', '::ffff:0.0.0.0'] : []),
];

/** Where all of so many are taken, the two addresses collide. */
const PORTS = 4;

function isFree(
  address: ListenAddress,
  port: number,
): Promise<{ port: number; close: () => Promise<void> } | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen({ host: address.type === 'tcp' ? address.host : '', port }, () =>
      resolve({
        port: (server.address() as { port: number }).port, // of a tcp server
        async close() {
          server.close();
          await once(server, 'close');
        },
      }),
    );
  });
}

const tcp = (host: string, port: number): ListenAddress => ({ type: 'tcp', host, port });

/** Whether the system lets both listen on one port. Another program may have that at the second address: ports are tried. */
async function bothAt(one: string, other: string): Promise<{ readonly port: number; readonly isPossible: boolean }> {
  for (let tries = 1; ; tries++) {
    const first = (await isFree(tcp(one, 0), 0)) ?? assert.fail(`nobody can listen on ${one}`);
    const second = await isFree(tcp(other, first.port), first.port);
    await second?.close();
    await first.close();
    if (second !== undefined || tries === PORTS) return { port: first.port, isPossible: second !== undefined };
  }
}

const conflicts = (
  listen: readonly ListenAddress[],
  admin: { listen?: ListenAddress; socket?: string } = {},
  file?: string,
  mirror?: string,
) =>
  bindConflicts({ listen, admin, cache: { file } as never, updates: { file: mirror } as never }).map(
    ({ path, message }) => `${path.join('.')} ${message}`,
  );

describe('two addresses to listen on', () => {
  for (const one of HOSTS)
    for (const other of HOSTS)
      it(`collide where the system says so: ${one} and ${other}`, async () => {
        const { port, isPossible } = await bothAt(one, other);
        const found = conflicts([tcp(one, port), tcp(other, port)]);
        assert.equal(found.length, isPossible ? 0 : 1, found.join());
      });

  it('are told of the files of cache and mirror', () => {
    assert.match(conflicts([], {}, '/run/a', '/run/./a').join(), /^updates\.file must differ from cache\.file: /);
  });

  for (const [what, listen, admin, file, where] of [
    ['one socket spelled twice', ['unix:/run/a.sock', 'unix:/run//x/.././a.sock'], {}, undefined, ['listen.1']],
    [
      'a listener and the page',
      ['tcp://127.0.0.1:9000'],
      { listen: 'tcp://0.0.0.0:9000' },
      undefined,
      ['admin.listen'],
    ],
    ['a name in capitals', ['tcp://Agent.example:9000', 'tcp://agent.example.:9000'], {}, undefined, ['listen.1']],
    ['a name and every address', ['tcp://[::]:9000', 'tcp://agent.example:9000'], {}, undefined, ['listen.1']],
    ['localhost and a loopback address', ['tcp://[::1]:9000', 'tcp://localhost:9000'], {}, undefined, ['listen.1']],
    ['a listener and the admin socket', ['unix:/run/a.sock'], { socket: '/run/./a.sock' }, undefined, ['admin.socket']],
    ['the page and the admin socket', [], { listen: 'unix:/run/a', socket: '/run/a' }, undefined, ['admin.socket']],
    ['the admin socket and the file of the cache', [], { socket: '/run/a' }, '/run//a', ['cache.file']],
    ['any port twice', ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0'], {}, undefined, []],
    ['two names', ['tcp://a.example:9000', 'tcp://b.example:9000'], {}, undefined, []],
    ['two ports', ['tcp://127.0.0.1:9000', 'tcp://127.0.0.1:9001'], { listen: 'tcp://127.0.0.1:9002' }, undefined, []],
  ] as const)
    it(`are told at the later one: ${what}`, () => {
      const read = (text: string) => parseListenAddress(text) ?? assert.fail(text);
      const page = 'listen' in admin ? { listen: read(admin.listen) } : {};
      const found = conflicts(listen.map(read), { ...admin, ...page } as { socket?: string }, file);
      assert.deepEqual(
        found.map((line) => line.split(' ')[0]),
        where,
      );
      for (const line of found) assert.match(line, /must differ from (listen\[0\]|admin\.(listen|socket)): /);
    });
});
