import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import {
  connectionEvents,
  connectionLog,
  decisionEvents,
  denyLog,
  evictionLog,
  messageLog,
} from '../../../agent/server/server-log.ts';
import { ProcessMetrics } from '../../../agent/state/process-metrics.ts';
import { SpopError } from '../../../spop/errors.ts';
import { ThrottledLog } from '../../../spop/throttled-log.ts';
import { HandClock } from '../../support/clock.ts';

function log() {
  const lines: [level: string, fields: { times?: number }, message: string][] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

describe('the log of connections', () => {
  it('logs status and cause of a protocol violation', () => {
    const told = log();
    connectionLog(told, new ThrottledLog(new HandClock())).protocolError(new SpopError(3, 'frame of 9 bytes'));
    assert.deepEqual(told.lines, [
      ['warn', { status: 3, error: 'frame of 9 bytes' }, 'connection closed: protocol violation by the peer'],
    ]);
  });

  it('says where the peer is, unless it came over a unix socket', () => {
    const told = log();
    connectionEvents(told, new HandClock(), new ProcessMetrics(), () => 50).protocolError(
      new SpopError(4, 'second HAPROXY-HELLO'),
      '203.0.113.7:51234',
    );
    assert.deepEqual(told.lines[0]?.[1], { status: 4, error: 'second HAPROXY-HELLO', peer: '203.0.113.7:51234' });
  });

  it('has a hint for HAProxy’s status 10, and only for that', () => {
    const told = log();
    const events = connectionLog(told, new ThrottledLog(new HandClock()));
    events.disconnectReceived(10, 'fragmentation not supported');
    events.disconnectReceived(1, 'I/O error');
    assert.match(told.lines[0]?.[2] ?? '', /no option send-frag-payload/);
    assert.equal(told.lines[1]?.[2], 'HAProxy closed a connection with an error');
  });

  it('logs each status once a minute, with how often it came', () => {
    const told = log();
    const clock = new HandClock();
    const events = connectionLog(told, new ThrottledLog(clock));
    for (let count = 0; count < 1000; count++) {
      events.protocolError(new SpopError(3, `frame of ${count} bytes`));
      events.disconnectReceived(1, `I/O error \u202e${count}`);
    }
    assert.equal(told.lines.length, 2);
    clock.advance(60_000);
    assert.deepEqual(
      told.lines.slice(2).map(([, fields]) => fields),
      [
        { status: 3, error: 'frame of 999 bytes', times: 999 },
        { status: 1, message: 'I/O error \\u{202e}999', times: 999 },
      ],
    );
  });
});

describe('the log of evicted connections', () => {
  it('logs each limit once a minute, however many connections, and counts all as status 13', () => {
    const told = log();
    const clock = new HandClock();
    const metrics = new ProcessMetrics();
    const evicted = evictionLog(told, clock, metrics);
    for (let count = 0; count < 1000; count++) {
      evicted('connections');
      evicted('memory');
    }
    clock.advance(60_000);
    const texts = told.lines.map(([level, { times }, text]) => [level, times, text.split(':')[0]]);
    assert.deepEqual(texts, [
      ['warn', undefined, 'too many connections'],
      ['warn', undefined, 'too many bytes of partial frames and unread ACKs'],
      ['warn', 999, 'too many connections'],
      ['warn', 999, 'too many bytes of partial frames and unread ACKs'],
    ]);
    assert.deepEqual(metrics.counters.errors, { 13: 2000 });
    metrics.close();
  });
});

describe('the log of messages', () => {
  it('logs each unknown name once, and at most a hundred, since they come from the socket', () => {
    const told = log();
    const events = messageLog(told);
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 150; index++) events.unknownMessage(`m${index}`);
    assert.equal(told.lines.length, 100);
  });

  it('logs an internal error as an error', () => {
    const told = log();
    const bug = new Error('bug');
    messageLog(told).internalError(bug);
    assert.deepEqual(told.lines[0]?.slice(0, 2), ['error', { err: bug }]);
  });
});

describe('the log of decisions', () => {
  const METERS = new ProcessMetrics();
  after(() => METERS.close());

  const shadow: Decision = { action: 'log', shadow: 'deny', source: 'cache', list: 'new', entry: 'ip:192.0.2.0/24' };

  it('logs each thing without a rule once, and at most a hundred, since they come from the table', () => {
    const told = log();
    const events = decisionEvents(told, new HandClock(), METERS);
    const routed: Decision = { ...shadow, action: 'route' };
    const lack = { part: 'backend', setting: 'haproxy.backends' } as const;
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 150; index++)
        events.unsupported(routed, [{ ...lack, what: `backend b${index}` }], { ...routed, action: 'tag' });
    assert.equal(told.lines.length, 100);
    const { list, entry } = shadow;
    const fields = { missing: 'backend b0', setting: 'haproxy.backends', action: 'route', instead: 'tag', list, entry };
    assert.deepEqual(told.lines[0], ['warn', fields, 'HAProxy has no rule for part of a decision: done without it']);
    assert.equal(METERS.counters.unsupported.route, 300);
  });

  it('has action, client and entry of a decision in shadow mode', () => {
    const told = log();
    decisionEvents(told, new HandClock(), METERS).shadowed('check', shadow, '192.0.2.7');
    const { list, entry } = shadow;
    const fields = {
      message: 'check',
      client: '192.0.2.7',
      wouldBe: 'deny',
      source: 'cache',
      reason: undefined,
      list,
      entry,
    };
    assert.deepEqual(told.lines, [['info', fields, 'shadow mode: decision not enforced']]);
  });

  it('escapes text from clients', () => {
    const told = log();
    decisionEvents(told, new HandClock(), METERS).shadowed('check', shadow, `header.x:\r\n\u202e${'x'.repeat(5000)}`);
    const [[, fields] = []] = told.lines;
    const { client = '' } = (fields ?? {}) as { client?: string }; // what is told is an object
    assert.match(client, /^header\.x:\\r\\n\\u\{202e\}x+\.\.\.$/);
    assert.ok(client.length <= 80);
  });

  it('has ten lines a second, and then how many were left out', () => {
    const told = log();
    const clock = new HandClock();
    const { shadowed: tell } = decisionEvents(told, clock, METERS);
    const messages = () =>
      told.lines.splice(0).map(([, fields, message]) => ('leftOut' in fields ? fields.leftOut : message));
    for (let index = 0; index < 10; index++) tell('check', shadow, `${index}`);
    clock.advance(1000);
    assert.deepEqual(new Set(messages()), new Set(['shadow mode: decision not enforced']), 'none was left out');
    for (let index = 0; index < 1000; index++) tell('check', shadow, `${index}`);
    clock.advance(999);
    assert.equal(messages().length, 10);
    clock.advance(1);
    assert.deepEqual(messages(), [990]);
    tell('check', shadow, 'next');
    assert.equal(messages().length, 1);
    clock.advance(5000);
    assert.deepEqual(messages(), []);
  });
});

describe('the log of denies', () => {
  const deny = {
    atMs: 0,
    ref: 'r-1',
    message: 'check',
    action: 'deny',
    source: 'cache',
    reason: 'abuse\u202e',
    list: 'manual',
    status: 403,
    subject: 'header.x:\u009bm',
    client: 'ip:203.0.113.7',
  } as const;

  it('has the reference id, and escapes text from the table and from clients', () => {
    const told = log();
    const tell = denyLog(told, new HandClock());
    tell(deny);
    const { atMs: _atMs, ...fields } = deny;
    const escaped = { ...fields, reason: 'abuse\\u{202e}', subject: 'header.x:\\u{9b}m' };
    assert.deepEqual(told.lines, [['info', escaped, 'denied']]);
    tell({ ...deny, ref: '' });
    assert.ok(!('ref' in (told.lines[1]?.[1] ?? {})));
  });

  it('has ten lines a second, and then how many were left out', () => {
    const told = log();
    const clock = new HandClock();
    const tell = denyLog(told, clock);
    for (let count = 0; count < 100; count++) tell(deny);
    clock.advance(1000);
    assert.deepEqual(told.lines.splice(0).at(-1), ['info', { leftOut: 90 }, 'further denies not logged one by one']);
    clock.advance(1000);
    tell(deny);
    assert.equal(told.lines.length, 1);
  });
});
