import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Decision } from '../../../agent/decision/decision.ts';
import { TrafficSplit } from '../../../agent/decision/traffic-split.ts';
import { longRuns } from '../../support/scope.ts';

const CLIENTS = Array.from({ length: 20_000 }, (_, index) => `198.51.${index >> 8}.${index & 255}`);

const split = (ways: string, more: Partial<Decision> = {}): Decision => {
  const { vars, ...rest } = more;
  return {
    action: 'route',
    source: 'cache',
    list: 'canary',
    entry: 'host:shop.example',
    vars: { split: ways, ...vars },
    ...rest,
  };
};

/** Where each client is sent; `-` for nowhere. */
function placesOf(decision: Decision): string[] {
  const split = new TrafficSplit();
  return CLIENTS.map((client) => {
    const { action, vars } = split.choose(decision, client);
    assert.equal(action, vars?.backend === undefined ? 'tag' : 'route');
    assert.equal(vars?.split, undefined, 'HAProxy is not told the shares');
    return vars?.backend ?? '-';
  });
}

function sharesOf(places: readonly string[]): Record<string, number> {
  const groups = Map.groupBy(places, (place) => place);
  return Object.fromEntries([...groups].map(([place, clients]) => [place, clients.length / places.length]));
}

describe('a traffic split', () => {
  it('gives each backend its share of clients, and no other client a backend', () => {
    const { blue = 0, green = 0, red = 0, '-': none = 0 } = sharesOf(placesOf(split('blue=60,green=10,red=0.5')));
    // five standard deviations of 20,000 draws are below 1.8 percent
    for (const [share, expected] of [
      [blue, 0.6],
      [green, 0.1],
      [red, 0.005],
      [none, 0.295],
    ] as const)
      assert.ok(
        Math.abs(share - expected) < 5 * Math.sqrt((expected * (1 - expected)) / CLIENTS.length),
        `${share} for ${expected}`,
      );
  });

  it('gives all clients or none with 100 or 0 percent', () => {
    assert.deepEqual(sharesOf(placesOf(split('blue=100'))), { blue: 1 });
    assert.deepEqual(sharesOf(placesOf(split('blue=0'))), { '-': 1 });
    assert.deepEqual(sharesOf(placesOf(split('a=33.33,b=33.33,c=33.34')))['-'], undefined);
  });

  it('routes all other clients to the backend of the entry', () => {
    const { blue = 0, old = 0 } = sharesOf(placesOf(split('blue=10', { vars: { backend: 'old' } })));
    assert.ok(blue > 0.08 && old > 0.88 && blue + old === 1);
  });

  it('leaves the other variables as they are', () => {
    const decision = split('blue=100', { vars: { path: '/v2' } });
    assert.deepEqual(new TrafficSplit().choose(decision, 'c').vars, { path: '/v2', backend: 'blue' });
  });

  it('is the same for a client each time, in each process, and the same object', () => {
    const decision = split('blue=50,green=50');
    const [one, other] = [new TrafficSplit(), new TrafficSplit()];
    for (const client of CLIENTS.slice(0, 200)) {
      assert.equal(one.choose(decision, client), one.choose(decision, client));
      const stale = other.choose(split('blue=50,green=50', { source: 'stale' }), client);
      assert.deepEqual(one.choose(decision, client).vars, stale.vars);
    }
  });

  it('is the same whether the entry for the client itself was just fetched or is in the cache', () => {
    const { entry: _entry, ...cached } = split('blue=50,green=50', { ofAddress: true });
    for (const client of CLIENTS.slice(0, 200)) {
      const fetched = split('blue=50,green=50', { entry: `ip:${client}`, source: 'backend' });
      const [now, later] = [new TrafficSplit().choose(fetched, client), new TrafficSplit().choose(cached, client)];
      assert.equal(now.vars?.backend, later.vars?.backend, client);
    }
  });

  it('chooses independently for another entry, so that no client is first in every canary', () => {
    const places = placesOf(split('blue=10'));
    const others = placesOf(split('blue=10', { entry: 'host:other.example' }));
    const both = places.filter((place, index) => place === 'blue' && others[index] === 'blue').length;
    assert.ok(both < 0.02 * CLIENTS.length, `${both} are in both`);
  });

  it('moves no client from a backend whose share grows, and none at all if it is the last', () => {
    const share = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(share, share, share, fc.nat({ max: 2 }), fc.integer({ min: 1, max: 10 }), (a, b, c, which, more) => {
        const shares = [a, b, c];
        const written = (of: readonly number[]) => of.map((percent, index) => `b${index}=${percent}`).join(',');
        const before = placesOf(split(written(shares)));
        const after = placesOf(
          split(written(shares.map((percent, index) => (index === which ? percent + more : percent)))),
        );
        before.forEach((place, index) => {
          if (place === `b${which}` || (which === 2 && place !== '-')) assert.equal(after[index], place);
        });
      }),
      { numRuns: longRuns(30) },
    );
  });

  it('leaves alone what has no split', () => {
    const decision: Decision = { action: 'route', source: 'cache', list: 'l', vars: { backend: 'blue' } };
    assert.equal(new TrafficSplit().choose(decision, 'c'), decision);
  });
});
