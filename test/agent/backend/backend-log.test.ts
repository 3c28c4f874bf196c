import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackendError } from '../../../agent/backend/backend-error.ts';
import { BackendLog, degradationLog } from '../../../agent/backend/backend-log.ts';
import type { Episode } from '../../../agent/decision/degradation-detector.ts';
import { redactedSubject } from '../../../contract/redact.ts';
import { HandClock } from '../../support/clock.ts';

describe('the log of the backend', () => {
  it('has one line a minute about calls that fail alike, however many there are', () => {
    const { health, clock, lines } = setUp();
    for (let second = 0; second < 150; second++) {
      for (let call = 0; call < 100; call++) health.failed(new BackendError('failing', 'answered status 500'));
      if (second === 70) health.failed(new BackendError('unreachable', 'refused'));
      clock.advance(1_000);
    }
    const failing = { fault: 'failing', error: 'backend: answered status 500' };
    assert.deepEqual(lines, [
      ['warn', 'backend call failed', failing],
      ['warn', 'backend call failed', { ...failing, times: 5999 }],
      ['warn', 'backend call failed', { fault: 'unreachable', error: 'backend: refused' }],
      ['warn', 'backend call failed', { ...failing, times: 6000 }],
    ]);
  });

  it('has one line when calls begin to be too many and one when that is over, however long it lasts', () => {
    const { health, clock, lines } = setUp();
    const throttle = () => health.failed(new BackendError('throttled', 'answered status 429'));
    for (let second = 0; second < 600; second++) {
      for (let call = 0; call < 10; call++) throttle();
      clock.advance(1_000);
    }
    clock.advance(120_000);
    throttle();
    const begins = ['warn', 'backend throttles: reducing the call rate', { error: 'backend: answered status 429' }];
    assert.deepEqual(
      lines.map(([level, message]) => [level, message]),
      [begins.slice(0, 2), ['info', 'backend no longer throttles'], begins.slice(0, 2)],
    );
    const [, , { refusedCalls, lastedMs }] = lines[1] as [string, string, { refusedCalls: number; lastedMs: number }];
    assert.equal(refusedCalls, 6000);
    assert.ok(lastedMs >= 600_000 && lastedMs <= 660_000, `${lastedMs}`);
    assert.deepEqual(lines[0], begins);
    health.close();
    assert.equal(clock.timers, 0);
  });

  it('has one line for each list whose shadow mode the function ignores', () => {
    const { health, fields } = setUp();
    for (const list of ['new', 'new', 'feed', 'new']) health.ignoresShadow(list);
    assert.deepEqual(fields(), [{ list: 'new' }, { list: 'feed' }]);
  });

  it('has one line a minute for each list about what it may not do, and whether that hides others', () => {
    const { health, clock, fields } = setUp();
    const beyond = { list: 'feed', action: 'allow\u001b', subject: 'cookie.sid:secret' };
    for (const isBlind of [false, true, false]) health.notCounted(beyond, isBlind);
    clock.advance(60_000);
    const told = { list: 'feed', action: 'allow\\u001b', entry: redactedSubject('cookie.sid:secret') };
    assert.deepEqual(fields(), [told, told, { ...told, times: 1 }]);
    assert.doesNotMatch(JSON.stringify(fields()), /secret/);
  });

  it('has one line a minute about entries with the same problem, and nothing of them as it came', () => {
    const { health, clock, fields } = setUp();
    for (let count = 0; count < 1000; count++) health.badEntry(`ua:\u202e${count}`, 'action: is unknown');
    clock.advance(60_000);
    assert.deepEqual(fields(), [
      { subject: 'ua:\\u{202e}0', problem: 'action: is unknown' },
      { subject: 'ua:\\u{202e}999', problem: 'action: is unknown', times: 999 },
    ]);
    health.close();
    assert.equal(clock.timers, 0);
  });
});

describe('the log of a degradation', () => {
  const episode: Episode = {
    share: 0.9512,
    isOutage: false,
    lookups: 1000,
    byPolicy: { timeout: 951, backend_error: 0, breaker_open: 0, overload: 0, internal_error: 0 },
    letThrough: 951,
    denied: 0,
    calls: 900,
    failedCalls: 3,
    p50Ms: 61.234,
    lastError: 'backend: answered status 500',
  };
  const fields = {
    policyPercent: 95.1,
    lookups: 1000,
    reasons: { timeout: 951 },
    calls: 900,
    failedCalls: 3,
    lastError: 'backend: answered status 500',
    p50Ms: 61.2,
    deadlineMs: 40,
  };
  const [open, closed, neither] = [
    { letThrough: 951, denied: 0 },
    { letThrough: 0, denied: 951 },
    { letThrough: 0, denied: 0 },
  ];

  for (const { isOutage, did, level, message } of [
    { isOutage: false, did: open, level: 'warn', message: 'degraded: unknown clients are let through (policy open)' },
    {
      isOutage: false,
      did: closed,
      level: 'warn',
      message: 'degraded: unknown clients are denied with 503 (policy closed)',
    },
    {
      isOutage: true,
      did: open,
      level: 'error',
      message: 'backend is failing: unknown clients are let through (policy open)',
    },
    {
      isOutage: true,
      did: closed,
      level: 'error',
      message: 'backend is failing: unknown clients are denied with 503 (policy closed)',
    },
    {
      isOutage: true,
      did: neither,
      level: 'warn',
      message: 'backend is failing: decisions come from the cache alone',
    },
  ])
    it(`says at ${level}: ${message}`, () => {
      const { log, lines } = setUp();
      degradationLog(log, () => 40).degraded({ ...episode, isOutage, ...did });
      assert.deepEqual(lines, [[level, message, { ...fields, ...did }]]);
    });

  it('says what the policy did in all when it is over', () => {
    const { log, lines } = setUp();
    degradationLog(log, () => 40).recovered({ lastedMs: 12_345.6, letThrough: 7, denied: 2 });
    assert.deepEqual(lines, [
      ['info', 'backend answers in time again', { lastedMs: 12_346, letThrough: 7, denied: 2 }],
    ]);
  });
});

function setUp() {
  const lines: [level: string, message: string, fields: object][] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, message, fields]);
  const log = { error: at('error'), warn: at('warn'), info: at('info') };
  const clock = new HandClock();
  return { log, clock, lines, health: new BackendLog(log, clock), fields: () => lines.map(([, , each]) => each) };
}
