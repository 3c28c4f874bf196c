import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackendHealthLog } from '../../../agent/backend/health.ts';
import { LookupError } from '../../../agent/decision/decision.ts';
import { HandClock } from '../../support/clock.ts';

describe('the log of the backend', () => {
  it('has one line when it begins to fail, one now and then, and one when it is back', () => {
    const lines: [string, object][] = [];
    const note = (fields: object, message: string) => void lines.push([message, fields]);
    const clock = new HandClock();
    const health = new BackendHealthLog({ warn: note, info: note }, clock);
    const error = new LookupError('backend_error', 'backend: answered status 500');

    health.succeeded();
    for (let second = 0; second < 25; second++) {
      for (let call = 0; call < 100; call++) health.failed(error);
      clock.advance(1_000);
    }
    health.succeeded();
    health.succeeded();

    assert.deepEqual(
      lines.map(([message]) => message),
      [
        'backend fails, the policy answers for what the cache does not know',
        'backend still fails',
        'backend still fails',
        'backend answers again',
      ],
    );
    assert.deepEqual(lines[1]?.[1], { reason: 'backend_error', error: error.message, failures: 1001 });
    assert.deepEqual(lines.at(-1)?.[1], { failures: 2500, lastedMs: 25_000 });
  });

  it('has one line for each list whose trial the function ignores', () => {
    const lines: object[] = [];
    const note = (fields: object) => void lines.push(fields);
    const health = new BackendHealthLog({ warn: note, info: note }, new HandClock());
    for (const list of ['new', 'new', 'feed', 'new']) health.ignoresTrials(list);
    assert.deepEqual(lines, [{ list: 'new' }, { list: 'feed' }]);
  });

  it('has one line a minute about entries with the same problem, and nothing of them as it came', () => {
    const lines: object[] = [];
    const note = (fields: object) => void lines.push(fields);
    const clock = new HandClock();
    const health = new BackendHealthLog({ warn: note, info: note }, clock);
    for (let count = 0; count < 1000; count++) health.badEntry(`header.x:\u202e${count}`, 'action: is unknown');
    clock.advance(60_000);
    assert.deepEqual(lines, [
      { subject: 'header.x:\\u{202e}0', problem: 'action: is unknown' },
      { subject: 'header.x:\\u{202e}999', problem: 'action: is unknown', times: 999 },
    ]);
    health.close();
    assert.equal(clock.timers, 0);
  });
});
