import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assumedLookups, SECONDS_A_MONTH, usageOf } from '../../../cli/cost/traffic.ts';

const setup = {
  ...{ allowTtl: 60, denyTtl: 300, functionTtl: 300, refreshSeconds: 0 },
  ...{ deniedShare: 0, lists: 1, batchMs: 0 },
};
const days = SECONDS_A_MONTH / 86_400;
/** 100 clients with 2 visits a day, each of 10 requests. */
const traffic = { requests: 100 * 2 * 10 * days, clients: 100, visits: 2, visitSeconds: 60, hosts: 1 };

describe('assumedLookups', () => {
  const lookups = (change: object, changedSetup: object = {}) => {
    const { ipv4, ipv6 } = assumedLookups({ ...traffic, ...change }, { ...setup, ...changedSetup }, 0);
    return Math.round((ipv4 + ipv6) / days);
  };

  /** So many requests that one comes whenever a verdict ends. */
  const dense = { requests: traffic.requests * 1e6 };

  it('counts one for each visit', () => assert.equal(lookups({}), 200));
  it('counts one for each host that sees it', () => assert.equal(lookups({ ...dense, hosts: 3 }), 600));
  it('counts one more whenever the lifetime is over', () => {
    assert.equal(lookups({ ...dense, visitSeconds: 61 }), 400);
    assert.equal(lookups({ ...dense, visitSeconds: 299 }), 1000);
  });
  it('counts a refresh before that, unless the lifetime is too short for one', () => {
    assert.equal(lookups({ ...dense, visitSeconds: 59 }, { refreshSeconds: 5 }), 400);
    assert.equal(lookups({ ...dense, visitSeconds: 59 }, { refreshSeconds: 31 }), 200);
  });
  it('counts fewer where the next request comes later', () => {
    const sparse = lookups({ visitSeconds: 300 });
    assert.ok(sparse > 600 && sparse < 1000, `${sparse}`);
  });
  it('counts fewer for clients that are denied, as they are kept for longer', () => {
    assert.equal(lookups({ ...dense, visitSeconds: 299 }, { deniedShare: 0.5 }), 600);
    assert.equal(lookups({ ...dense, visitSeconds: 299 }, { deniedShare: 0.5, functionTtl: 60 }), 1000);
  });
  it('never counts more than there are requests', () => {
    for (const visitSeconds of [0, 1, 60, 600, 86_400]) assert.ok(lookups({ visitSeconds }) <= 2000);
    assert.ok(lookups({ visitSeconds: 86_400 * 30 }, { allowTtl: 1 }) <= 2000);
    assert.ok(lookups({ hosts: 50 }) > 1800 && lookups({ hosts: 50 }) < 2000);
    assert.equal(lookups({ hosts: 1e6 }), 2000);
  });
  it('counts every request where nothing is kept', () => assert.equal(lookups({}, { allowTtl: 0 }), 2000));
  it('counts none of no clients', () => assert.equal(lookups({ clients: 0 }), 0));
  it('parts the families', () => {
    const { ipv4, ipv6 } = assumedLookups(traffic, setup, 0.25);
    assert.deepEqual([Math.round(ipv4 / days), Math.round(ipv6 / days)], [150, 50]);
  });
});

describe('usageOf', () => {
  const none = { ipv4: 0, ipv6: 0, sharedNetworks: 0 };

  it('reads 25 keys for IPv4 and 50 for IPv6, in every list', () => {
    assert.deepEqual(usageOf({ ...none, ipv4: 10 }, setup, 1), { calls: 10, keys: 250 });
    assert.deepEqual(usageOf({ ...none, ipv4: 10, ipv6: 2 }, { ...setup, lists: 3 }, 1), { calls: 12, keys: 1050 });
  });

  it('has lookups of the same millisecond share a call, and the networks that they have in common', () => {
    const aMillisecond = { ...none, ipv4: SECONDS_A_MONTH * 1000, sharedNetworks: 5 };
    const halves = SECONDS_A_MONTH * 500;
    assert.deepEqual(usageOf(aMillisecond, { ...setup, batchMs: 1 }, 1), { calls: halves, keys: halves * (50 - 5) });
    assert.equal(usageOf(aMillisecond, { ...setup, batchMs: 1 }, 2).calls, (halves * 4) / 3);
    assert.equal(usageOf(aMillisecond, { ...setup, batchMs: 10_000 }, 1).calls, halves / 50);
  });
});
