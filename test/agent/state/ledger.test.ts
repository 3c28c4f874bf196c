import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import { Ledger } from '../../../agent/state/ledger.ts';
import { HandClock } from '../../support/clock.ts';

const denyOf = (list: string, reason = 'abuse'): Decision => ({ action: 'deny', source: 'cache', list, reason });

describe('the ledger', () => {
  it('counts decisions that are alike together, whatever object they are', () => {
    const ledger = new Ledger(new HandClock());
    for (let time = 0; time < 3; time++) ledger.tallyOf('check-request', denyOf('manual')).count++;
    ledger.tallyOf('other-message', denyOf('manual')).count++;
    assert.deepEqual(
      ledger.state.decisions.map(({ message, count }) => [message, count]),
      [
        ['check-request', 3],
        ['other-message', 1],
      ],
    );
  });

  it('has no more series than 200 pairs of list and reason, and counts all others as one', () => {
    const ledger = new Ledger(new HandClock());
    for (let index = 0; index < 500; index++) ledger.tallyOf('check-request', denyOf('manual', `${index}`)).count++;
    const { decisions } = ledger.state;
    assert.equal(decisions.length, 201);
    assert.deepEqual(
      decisions.filter(({ list }) => list === 'other').map(({ reason, count }) => [reason, count]),
      [['other', 300]],
    );
    assert.equal(ledger.tallyOf('check-request', { action: 'allow', source: 'policy', reason: 'timeout' }).list, '');
  });

  it('records at most 100 denies a second, the newest 50 to be seen', () => {
    const clock = new HandClock();
    const told: string[] = [];
    const ledger = new Ledger(clock, ({ subject }) => told.push(subject));
    for (let index = 0; index < 150; index++)
      if (ledger.hasRoom) ledger.record('check-request', denyOf('manual'), `ip:203.0.113.${index}`, '');
    assert.equal(told.length, 100);
    const { recent } = ledger.state;
    assert.deepEqual(
      [recent.length, recent[0]?.subject, recent[49]?.subject],
      [50, 'ip:203.0.113.99', 'ip:203.0.113.50'],
    );
    clock.advance(1000);
    assert.ok(ledger.hasRoom);
  });

  it('shows the subject that is denied most among ever new ones', () => {
    const clock = new HandClock();
    const ledger = new Ledger(clock);
    for (let index = 0; index < 5000; index++) {
      if (index % 100 === 0) clock.advance(1000);
      const subject = index % 4 === 0 ? 'key:busy' : `key:${index}`;
      ledger.record('check-request', { ...denyOf('manual'), entry: subject }, undefined, '');
    }
    const [first] = ledger.state.top;
    assert.equal(first?.subject, 'key:busy');
    assert.ok((first?.count ?? 0) >= 1250);
  });
});
