import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Item } from '../../../blocklist/store.ts';
import type { BulkOptions } from '../../../cli/bulk/options.ts';
import { ListDigest, requestDigest } from '../../../cli/bulk/unchanged-source.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const URL = 'https://feeds.example/drop.txt?key=1';
const OPTIONS: BulkOptions = { table: 'haverdict', list: 'drop', action: 'deny', waitLimit: 60 };
const SETTINGS = { protected: ['203.0.113.7'], protectPrivate: true };
const asked = (more: object = {}, settings: object = {}) =>
  requestDigest('sync', URL, { ...OPTIONS, ...more }, { ...SETTINGS, ...settings });

describe('what a run is asked for', () => {
  it('is the same however the run goes', () => {
    const how = {
      dryRun: true,
      quiet: true,
      json: true,
      refetch: true,
      yes: true,
      metricsFile: 'a.prom',
      wait: true,
      waitLimit: 9,
    };
    assert.equal(asked(), asked({ ...how, region: 'eu-west-1', profile: 'p', config: 'c' }));
  });

  it('is another with another operation, any of the URL, and any other option', (t) => {
    const body = join(temporaryFolder(t), 'body');
    writeFileSync(body, 'one');
    const all = [
      asked(),
      requestDigest('import', URL, OPTIONS, SETTINGS),
      requestDigest('sync', `${URL}2`, OPTIONS, SETTINGS),
      ...[{ action: 'tarpit' }, { status: '404' }, { body: 'no' }, { var: [['res.set.x-a', 'b']] }, { bodyFile: body }],
      ...[{ reason: 'r' }, { note: 'r' }, { for: '1h' }, { until: '1h' }, { format: 'csv' }, { kind: 'host' }],
      ...[{ minScore: 1 }, { skipInvalid: true }, { force: true }, { inside: true }, { anOptionOfALaterVersion: true }],
    ].map((one) => (typeof one === 'string' ? one : asked(one)));
    all.push(asked({}, { protected: [] }), asked({}, { protectPrivate: false }));
    writeFileSync(body, 'two');
    all.push(asked({ bodyFile: body }));
    assert.equal(new Set(all).size, all.length);
  });

  it('tells nothing of the URL', () => assert.match(asked(), /^[0-9a-f]{64}$/));
});

describe('the state of a list', () => {
  const item: fc.Arbitrary<Item> = fc.record(
    {
      subject: fc.constantFrom('ip:203.0.113.1', 'ip:203.0.113.2'),
      list: fc.constant('drop'),
      action: fc.constantFrom('deny', 'allow'),
      expiresAt: fc.constantFrom(1, 2),
      note: fc.constantFrom('', 'n'),
      vars: fc.constantFrom({}, { body: 'b', location: '/' }, { location: '/', body: 'b' }),
    },
    { requiredKeys: ['subject', 'list'] },
  );

  it('is the same in any order, and after any detour, and else another', () => {
    fc.assert(
      fc.property(fc.array(item), fc.array(item), fc.array(item), (items, detour, others) => {
        const state = stateOf(items);
        const again = stateOf([...detour, ...items.toReversed()]);
        for (const one of detour) again.take(one);
        assert.equal(state.after('asked'), again.after('asked'));
        assert.notEqual(state.after('asked'), state.after('asked for something else'));
        assert.equal(state.after('') === stateOf(others).after(''), textOf(items) === textOf(others));
      }),
    );
  });
});

function stateOf(items: readonly Item[]): ListDigest {
  const state = new ListDigest();
  for (const one of items) state.add(one);
  return state;
}

function textOf(items: readonly Item[]): string {
  const texts = items.map(({ subject, action = 'deny', expiresAt, note, vars }) =>
    JSON.stringify([subject, action, expiresAt, note, vars && Object.entries(vars).sort()]),
  );
  return texts.sort().join('\n');
}
