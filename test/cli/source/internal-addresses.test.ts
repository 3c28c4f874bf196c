import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Agent, request } from 'undici';
import { externalOnlyConnector, internalReason } from '../../../cli/source/internal-addresses.ts';
import { openSource } from '../../../cli/source/open-source.ts';
import { parseNetwork } from '../../../contract/address.ts';

/** As the registries of special addresses have them (RFC 6890), and what clouds have in them. */
const INSIDE = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
  ...['192.0.0.0/24', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/128', '::1/128', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8', '100::/64', '4000::/3', '2001:db8::/32'],
];

describe('an address', () => {
  it('is inside wherever one of one’s own networks can be, in every form', () => {
    const named = fc.constantFrom(...INSIDE).chain((text) => fc.tuple(fc.constant(text), addressIn(text)));
    fc.assert(
      fc.property(named, ([network, bytes]) => {
        for (const text of formsOf(bytes)) assert.ok(internalReason(text), `${text} of ${network}`);
      }),
      { numRuns: 2000 },
    );
  });

  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2a00:1450::1', '2606:4700::1111'])
    it(`is outside: ${address}`, () => assert.equal(internalReason(address), undefined));

  it('is outside behind NAT64 if it is outside, as DNS64 answers it', () => {
    assert.equal(internalReason('64:ff9b::808:808'), undefined);
    assert.equal(internalReason('64:ff9b::7f00:1'), 'loopback');
  });

  for (const address of ['', 'localhost', '127.1', '0x7f.0.0.1', 'fe80::1%eth0', '1.2.3', '168.63.129.16'])
    it(`is inside if it is none, or a cloud’s: "${address}"`, () => assert.ok(internalReason(address)));
});

describe('a source at an address inside', () => {
  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0',
    '127.0.0.1.',
    '[::]',
  ])
    it(`is not fetched: ${host}`, async (t) => {
      const { port, asked } = await serve(t);
      await assert.rejects(openSource(`http://${host}:${port}/list.txt?key=1`, {}), {
        name: 'CliError',
        message: /^http:\/\/\S+\/…\w{8} leads to \S+ \([a-z ]+\): internal addresses need --inside$/,
      });
      assert.deepEqual(asked, []);
    });

  it('is fetched if it is asked for', async (t) => {
    const { port, asked } = await serve(t);
    await openSource(`http://localhost:${port}/`, { inside: true });
    assert.equal(asked.length, 1);
  });
});

describe('the connector', () => {
  it('connects to no address but one that it has looked at, whatever DNS says the next time', async (t) => {
    const { port, asked } = await serve(t);
    const answers = [['127.0.0.1'], ['192.0.2.1', '127.0.0.1'], ['::1'], ['64:ff9b::7f00:1'], ['169.254.169.254']];
    for (const first of answers) {
      const later = [first, ['127.0.0.1']];
      const agent = new Agent({
        connect: externalOnlyConnector(1000, (_name, _options, callback) => {
          const addresses = later.shift() ?? [];
          callback(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          );
        }),
      });
      t.after(() => agent.destroy());
      await assert.rejects(request(`http://feeds.example:${port}/`, { dispatcher: agent }), /leads to/);
      assert.equal(later.length, 1, 'resolved once');
    }
    assert.deepEqual(asked, []);
  });
});

/** The address itself, and for IPv4 every way to write it into IPv6. */
function formsOf(bytes: Uint8Array): string[] {
  if (bytes.length === 16) return [groups([...bytes])];
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const zeros = (count: number) => new Array<number>(count).fill(0);
  return [
    bytes.join('.'),
    `::ffff:${bytes.join('.')}`,
    groups([0x20, 0x02, a, b, c, d, ...zeros(10)]), // 6to4
    groups([0, 0x64, 0xff, 0x9b, ...zeros(8), a, b, c, d]), // NAT64
    groups([0, 0x64, 0xff, 0x9b, 0, 1, a, b, 0, c, d, ...zeros(5)]), // the same of a network of one's own
    groups([0x20, 0x01, 0, 0, 8, 8, 8, 8, ...zeros(4), ...[a, b, c, d].map((byte) => byte ^ 0xff)]), // Teredo
    groups([...zeros(12), a, b, c, d]), // IPv4-compatible
    groups([0x2a, 0, 0x14, 0x50, ...zeros(4), 0, 0, 0x5e, 0xfe, a, b, c, d]), // ISATAP
  ];
}

function groups(bytes: readonly number[]): string {
  return (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).join(':');
}

function addressIn(network: string) {
  const { bytes, prefix } = parseNetwork(network) as NonNullable<ReturnType<typeof parseNetwork>>; // all of INSIDE are
  return fc.uint8Array({ minLength: bytes.length, maxLength: bytes.length }).map((drawn) =>
    bytes.map((byte, index) => {
      const free = 0xff >> Math.min(8, Math.max(0, prefix - index * 8));
      return (byte & ~free) | ((drawn[index] ?? 0) & free);
    }),
  );
}

async function serve(t: TestContext) {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.end('203.0.113.7\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, port: (server.address() as AddressInfo).port }; // a TCP server has no other address
}
