import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecentDeny, TopSubject } from '../../../agent/state/state.ts';
import { overviewOf } from '../../../cli/top/overview.ts';
import { screenLines } from '../../../cli/top/screen.ts';
import { paint } from '../../../cli/top/terminal.ts';
import { agentState } from '../../support/agent-state.ts';

const NOON = new Date(2026, 8, 22, 12, 0, 0).getTime(); // the screen has local time
const HOSTILE = '\u001b[2J\u009b31m\u202e\r\n\u2028';

function deny(changes: Partial<RecentDeny> = {}): RecentDeny {
  return {
    atMs: NOON,
    ref: 'k3v9-1a',
    message: 'check-request',
    action: 'deny',
    source: 'cache',
    reason: 'abuse',
    list: 'manual',
    subject: 'ip:203.0.113.0/24',
    client: 'ip:203.0.113.7',
    ...changes,
  };
}

function busy(recent: readonly RecentDeny[] = [deny()], top: readonly TopSubject[] = []) {
  const one = { message: 'check-request', reason: '', list: '' };
  return overviewOf(
    agentState({
      takenAtMs: NOON,
      startedAtMs: NOON - 3_725_000,
      decisions: [
        { ...one, action: 'allow', source: 'cache', count: 37_250_000 },
        { ...one, action: 'deny', source: 'cache', count: 3725 },
      ],
      recent,
      top,
    }),
  );
}

const texts = (...args: Parameters<typeof screenLines>) => screenLines(...args).map(({ text }) => text);

describe('the screen of top', () => {
  it('has everything on 80 columns and 24 rows', () => {
    const top = [{ subject: 'ip:203.0.113.0/24', list: 'manual', client: 'ip:203.0.113.7', count: 3725 }];
    assert.deepEqual(texts(busy([deny()], top), 80, 24), [
      'haverdict 0.1.0  pid 4711  up 1h 2m  12:00:00',
      'decisions  10 001/s  p50 -  p99 -  hits -',
      'cache      0 of 1 000 000, 0.0 MB  stale 0.0/s',
      'backend    0.0/s  p50 -  p99 -  failed 0.0/s  breaker closed  queued 0  active 0',
      'haproxy    0.0/s  connections 0  errors 0',
      '',
      'ACTION    SOURCE     PER SECOND      TOTAL',
      'allow     cache        10 000/s 37 250 000',
      'deny      cache           1.0/s      3 725',
      '',
      'RECENT    ACTION  CLIENT             SUBJECT            LIST       REF',
      '12:00:00  deny    ip:203.0.113.7     ip:203.0.113.0/24  manual     k3v9-1a',
      '',
      '   DENIED SUBJECT                        LIST             LAST CLIENT',
      '    3 725 ip:203.0.113.0/24              manual           ip:203.0.113.7',
    ]);
  });

  it('fits, whatever the size, and always has what is most important', () => {
    const top = Array.from({ length: 20 }, (_, index) => ({ subject: `key:${index}`, list: 'manual', count: 9 }));
    const overview = busy(Array(50).fill(deny({ subject: `key:${'x'.repeat(900)}`, reason: 'long '.repeat(40) })), top);
    for (const columns of [1, 20, 79, 80, 81, 132, 400]) {
      for (const rows of [1, 2, 5, 10, 23, 24, 50, 200]) {
        const lines = texts(overview, columns, rows);
        assert.ok(lines.length <= rows && lines.every((line) => line.length <= columns), `${columns} x ${rows}`);
        assert.ok(lines[0]?.startsWith('haverdict 0.1.0'.slice(0, columns)));
      }
    }
    const sections = texts(overview, 80, 24).filter((line) => /^(ACTION|RECENT| +DENIED)/.test(line));
    assert.equal(sections.length, 3, 'each section has its rows');
  });

  it('shows nothing of what anybody wrote as it came', () => {
    const top = [{ subject: `key:${HOSTILE}`, list: HOSTILE, client: HOSTILE, count: 1 }];
    const state = busy(
      [deny({ subject: HOSTILE, client: HOSTILE, reason: HOSTILE, list: HOSTILE, ref: HOSTILE })],
      top,
    );
    const overview = {
      ...state,
      version: HOSTILE,
      degraded: [HOSTILE],
      reloadError: HOSTILE,
      backend: { ...state.backend, breaker: 'open' as const, lastError: HOSTILE },
    };
    for (const line of texts(overview, 400, 60, `the agent: ${HOSTILE}`))
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it('has in its headline why the agent is degraded', () => {
    const cause = '95.0 % of the lookups of the last 10 s were let through by policy';
    const lines = screenLines({ ...busy(), degraded: [cause] }, 80, 24);
    assert.deepEqual(lines[1], { text: `degraded   ${cause}`, tone: 'bad' });
  });

  it('begins with what is wrong, and marks a backend in trouble', () => {
    const { backend, ...quiet } = busy();
    const overview = { ...quiet, backend: { ...backend, breaker: 'open' as const, lastError: 'connection refused' } };
    const lines = screenLines(overview, 80, 24, 'the agent is gone');
    assert.deepEqual(lines[0], { text: 'the agent is gone', tone: 'bad' });
    assert.equal(lines.find(({ text }) => text.startsWith('backend'))?.tone, 'bad');
    assert.ok(lines.some(({ text }) => text.trim() === 'connection refused'));
  });

  it('is painted over what was there, with colours only where they are wanted', () => {
    const lines = [{ text: 'a', tone: 'heading' } as const, { text: 'b', tone: 'plain' } as const];
    assert.equal(paint(lines, false), '\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J');
    assert.equal(paint(lines, true), '\x1b[H\x1b[1ma\x1b[0m\x1b[K\r\nb\x1b[K\x1b[J');
  });
});
