import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { LoggedRequest } from '../../../cli/access-log/haproxy-log.ts';
import { CacheModel, isDenied } from '../../../cli/cost/cache-model.ts';
import type { Setup } from '../../../cli/cost/traffic.ts';

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '2001:db8::1', '2001:db8::2'];

const request = fc
  .record({ address: fc.constantFrom(...ADDRESSES), atMs: fc.integer({ min: 0, max: 20_000 }) })
  .map((one) => ({ ...one, ipv6: one.address.includes(':') }));
const requests = fc.array(request, { maxLength: 80 });
/** As HAProxy writes them: in the order of their ends, so that neighbours are out of order. */
const inOrder = requests.map((all) => [...all].sort((a, b) => Math.round(a.atMs / 500) - Math.round(b.atMs / 500)));
const setup = fc.record({
  allowTtl: fc.constantFrom(0, 1, 3, 60),
  denyTtl: fc.constantFrom(0, 1, 5, 60),
  functionTtl: fc.constantFrom(2, 300),
  refreshSeconds: fc.constantFrom(0, 1, 2),
  deniedShare: fc.constantFrom(0, 0.5, 1),
  ...{ lists: fc.constant(1), batchMs: fc.constant(1) },
});
const SETUP = {
  ...{ allowTtl: 60, denyTtl: 60, functionTtl: 300, refreshSeconds: 0 },
  deniedShare: 0,
  lists: 1,
  batchMs: 1,
};

describe('CacheModel', () => {
  it('counts the same misses and refreshes as a naive list of what is known', () => {
    fc.assert(
      fc.property(inOrder, setup, fc.integer({ min: 1, max: 6 }), (log, told, maxEntries) => {
        const model = new CacheModel(told, maxEntries);
        for (const one of log) model.replay(one);
        const { ipv4, ipv6 } = model.result();
        assert.deepEqual({ ipv4, ipv6 }, naiveLookups(log, told, maxEntries));
      }),
      { numRuns: 3000 },
    );
  });

  it('knows from when to when the log is', () => {
    const model = new CacheModel(SETUP, 10);
    for (const atMs of [5000, 4000, 9000, 8000]) model.replay({ address: '10.0.0.1', ipv6: false, atMs });
    const { requests: seen, firstMs, lastMs } = model.result();
    assert.deepEqual([seen, firstMs, lastMs], [4, 4000, 9000]);
  });

  const neighbours: readonly (readonly [string, string, number])[] = [
    ['10.0.0.1', '10.0.0.2', 30 - 8 + 1],
    ['10.0.0.1', '10.128.0.1', 1],
    ['10.0.0.1', '11.0.0.1', 0],
    ['2001:db8::1', '2001:db8::2', 64 - 16 + 1],
    ['2001:db8::1', '2001:db9::1', 31 - 16 + 1],
    ['2001:db8::1', '10.0.0.1', 0],
  ];
  for (const [one, other, shared] of neighbours)
    it(`sees how many networks ${one} and ${other} share`, () => {
      const model = new CacheModel(SETUP, 10);
      for (const address of [one, other]) model.replay({ address, ipv6: address.includes(':'), atMs: 0 });
      assert.equal(model.result().sharedNetworks, shared);
    });
});

describe('isDenied', () => {
  it('picks about the share that was asked, and the same addresses every time', () => {
    const addresses = Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    for (const share of [0, 0.02, 0.5, 1]) {
      const denied = addresses.filter((address) => isDenied(address, share));
      assert.ok(Math.abs(denied.length / 10_000 - share) < 0.02, `${denied.length} for ${share}`);
      assert.deepEqual(
        denied,
        addresses.filter((address) => isDenied(address, share)),
      );
    }
  });
});

/** Everything the cache knows in a plain list, the least recently asked first. */
function naiveLookups(
  log: readonly LoggedRequest[],
  { allowTtl, denyTtl, functionTtl, refreshSeconds, deniedShare }: Setup,
  maxEntries: number,
): { ipv4: number; ipv6: number } {
  let known: { address: string; seconds: number; untilMs: number }[] = [];
  const lookups = { ipv4: 0, ipv6: 0 };
  for (const { address, ipv6, atMs } of log) {
    const found = known.find((one) => one.address === address);
    if (found) known = [...known.filter((one) => one !== found), found];
    const soon = found && found.seconds >= 2 * refreshSeconds ? refreshSeconds * 1000 : 0;
    if (found && found.untilMs - atMs > soon) continue;
    if (ipv6) lookups.ipv6 += 1;
    else lookups.ipv4 += 1;
    const seconds = Math.min(functionTtl, isDenied(address, deniedShare) ? denyTtl : allowTtl);
    if (seconds === 0) continue;
    const kept = { address, seconds, untilMs: atMs + seconds * 1000 };
    known = [...known.filter((one) => one !== found), kept].slice(-maxEntries);
  }
  return lookups;
}
