import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assumedMisses, SECONDS_A_MONTH, usageOf } from '../../../cli/cost/traffic.ts';

const setup = { allowTtl: 60, denyTtl: 300, deniedShare: 0, lists: 1 };
const days = SECONDS_A_MONTH / 86_400;
/** 100 clients with 2 visits a day, each of 10 requests. */
const traffic = { requests: 100 * 2 * 10 * days, clients: 100, visits: 2, visitSeconds: 60, hosts: 1 };

describe('assumedMisses', () => {
  const misses = (change: object, changedSetup: object = {}) => {
    const { ipv4, ipv6 } = assumedMisses({ ...traffic, ...change }, { ...setup, ...changedSetup }, 0);
    return Math.round((ipv4 + ipv6) / days);
  };

  it('counts one for each visit', () => assert.equal(misses({}), 200));
  it('counts one for each host that sees it', () => assert.equal(misses({ hosts: 3 }), 600));
  it('counts one more whenever the lifetime is over', () => {
    assert.equal(misses({ visitSeconds: 61 }), 400);
    assert.equal(misses({ visitSeconds: 300 }), 1000);
  });
  it('counts fewer for clients that are denied, as they are kept for longer', () => {
    assert.equal(misses({ visitSeconds: 300 }, { deniedShare: 0.5 }), 600);
  });
  it('never counts more than there are requests', () => {
    assert.equal(misses({ visitSeconds: 86_400 }), 2000);
    assert.equal(misses({ hosts: 50 }), 2000);
  });
  it('counts every request where nothing is kept', () => assert.equal(misses({}, { allowTtl: 0 }), 2000));
  it('counts none of no clients', () => assert.equal(misses({ clients: 0 }), 0));
  it('parts the families', () => {
    const { ipv4, ipv6 } = assumedMisses(traffic, setup, 0.25);
    assert.deepEqual([Math.round(ipv4 / days), Math.round(ipv6 / days)], [150, 50]);
  });
});

describe('usageOf', () => {
  it('reads 25 keys for IPv4 and 50 for IPv6, in every list', () => {
    assert.deepEqual(usageOf({ ipv4: 10, ipv6: 0 }, 1), { calls: 10, keys: 250 });
    assert.deepEqual(usageOf({ ipv4: 10, ipv6: 2 }, 3), { calls: 12, keys: 1050 });
  });
});
