import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecentDeny, TopSubject } from '../../../agent/state/state.ts';
import { widthOf } from '../../../cli/output/fit.ts';
import { overviewOf } from '../../../cli/top/overview.ts';
import { held, type Poll } from '../../../cli/top/poll.ts';
import { screenLines } from '../../../cli/top/screen.ts';
import { paint } from '../../../cli/top/terminal.ts';
import { pressed, USUAL_VIEW, type View } from '../../../cli/top/view.ts';
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
const USUAL = { columns: 80, rows: 24 };

describe('the screen of top', () => {
  it('has everything on 80 columns and 24 rows', () => {
    const top = [{ subject: 'ip:203.0.113.0/24', list: 'manual', client: 'ip:203.0.113.7', count: 3725 }];
    assert.deepEqual(texts(busy([deny()], top), USUAL), [
      'haproxy-1  ready  12:00:00  haverdict 0.1.0  pid 4711  up 1h 2m',
      'decisions  10 001/s  p50 -  p99 -  hits -',
      'cache      0 of 1 000 000, 0.0 MB  stale 0.0/s',
      'backend    0.0/s  p50 -  p99 -  failed 0.0/s  breaker closed  queued 0  active 0',
      'haproxy    0.0/s  connections 0  errors 0',
      '',
      'ACTION  SOURCE  PER SECOND       TOTAL',
      'allow   cache     10 000/s  37 250 000',
      'deny    cache        1.0/s       3 725',
      '',
      'RECENT    ACTION  CLIENT          ENTRY              LIST    REF      REASON',
      '12:00:00  deny    ip:203.0.113.7  ip:203.0.113.0/24  manual  k3v9-1a  abuse',
      '',
      'DENIED  ENTRY (LAST 5 MIN)  LIST    LAST CLIENT',
      ' 3 725  ip:203.0.113.0/24   manual  ip:203.0.113.7',
    ]);
  });

  it('fits, whatever the size, and always has what is most important', () => {
    const top = Array.from({ length: 20 }, (_, index) => ({ subject: `key:${index}`, list: 'manual', count: 9 }));
    const overview = busy(Array(50).fill(deny({ subject: `key:${'x'.repeat(900)}`, reason: 'long '.repeat(40) })), top);
    for (const columns of [1, 20, 79, 80, 81, 132, 400]) {
      for (const rows of [1, 2, 5, 10, 23, 24, 50, 200]) {
        const lines = texts(overview, { columns, rows, ...(rows % 2 === 0 && { view: USUAL_VIEW }) });
        assert.ok(lines.length <= rows && lines.every((line) => line.length <= columns), `${columns} x ${rows}`);
        if (rows > 1) assert.ok(lines[0]?.startsWith('haproxy-1  ready'.slice(0, columns - 1)));
      }
    }
    const sections = texts(overview, USUAL).filter((line) => /^(ACTION|RECENT|DENIED)/.test(line));
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
      host: HOSTILE,
      version: HOSTILE,
      degraded: [HOSTILE],
      reloadError: HOSTILE,
      backend: { ...state.backend, breaker: 'open' as const, lastError: HOSTILE },
    };
    const view = { ...USUAL_VIEW, filter: HOSTILE.slice(0, 2) };
    for (const line of texts(overview, { columns: 400, rows: 60, problem: `the agent: ${HOSTILE}`, view }))
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it('says that much more is denied than usual, and since when', () => {
    const said = (surge: object) => texts({ ...busy(), surge: { share: 0.8, ...surge } }, USUAL)[1]?.trim();
    assert.equal(
      said({ usualShare: 0.11, sinceMs: NOON - 40_000 }),
      '80.0 % of the requests are denied, usually 11.0 %, since 11:59:20',
    );
    assert.equal(said({}), '80.0 % of the requests are denied, for more than a minute');
  });

  it('has in its headline why the agent is degraded', () => {
    const cause = '95.0 % of the lookups of the last 10 s were let through by policy';
    const lines = screenLines(
      { ...busy(), condition: 'degraded', degraded: [cause], degradedSinceMs: NOON - 252_000 },
      USUAL,
    );
    assert.match(lines[0]?.text ?? '', /^haproxy-1 {2}DEGRADED since 11:55:48 \(4m 12s\)/);
    assert.equal(lines[0]?.tone, 'bad');
    assert.deepEqual(lines[1], { text: `           ${cause}`, tone: 'bad' });
  });

  it('says that the agent is gone, and that it is there again, also while it is paused', () => {
    const view = { ...USUAL_VIEW, isPaused: true };
    const [before, after] = [busy(), { ...busy(), atMs: NOON + 5000 }];
    const head = (one: Poll) => screenLines(one.overview, { ...USUAL, problem: one.problem, view }).slice(0, 2);
    const gone = held({ overview: before }, { overview: before, problem: '/a.sock: connection refused; retrying' });
    assert.deepEqual(
      head(gone).map(({ text, tone }) => [text.split('  haverdict')[0], tone]),
      [
        ['/a.sock: connection refused; retrying', 'bad'],
        ['haproxy-1  NO ANSWER  PAUSED  12:00:00', 'bad'],
      ],
    );
    const [again] = head(held(gone, { overview: after }));
    assert.match(again?.text ?? '', /^haproxy-1 {2}ready {2}PAUSED {2}12:00:00 /);
  });

  it('begins with what is wrong, and marks a backend in trouble', () => {
    const { backend, ...quiet } = busy();
    const failing = { ...backend, breaker: 'open' as const, isFailing: true, lastError: 'connection refused' };
    const overview = { ...quiet, backend: failing };
    const lines = screenLines(overview, { ...USUAL, problem: 'the agent is gone' });
    assert.deepEqual(lines[0], { text: 'the agent is gone', tone: 'bad' });
    assert.equal(lines.find(({ text }) => text.startsWith('backend'))?.tone, 'bad');
    assert.ok(lines.some(({ text }) => text.trim() === 'connection refused'));
  });

  it('has the curves of the last minute on 80 columns and on 200, and none where there is no room', () => {
    const second = { decisions: 10_001, denied: 3, byPolicy: 50, p99Seconds: 0.0012 };
    const lastMinute = Array.from({ length: 60 }, (_, at) => ({ ...second, atMs: NOON - (60 - at) * 1000 }));
    const shown = (columns: number, rows: number) =>
      texts({ ...busy(), lastMinute }, { columns, rows, view: USUAL_VIEW }).filter((line) => line.includes('█'));
    assert.deepEqual(shown(80, 24), [
      '60 s, most  decisions  ████████████  10 001/s  denied  ████████████  3.0/s',
      '            by policy  ████████████  0.5 %     p99     ████████████  1.2 ms',
    ]);
    assert.deepEqual(
      shown(200, 50).map((line) => line.match(/█+/g)?.map(({ length }) => length)),
      [
        [60, 60],
        [60, 60],
      ],
    );
    assert.deepEqual([shown(60, 24), shown(80, 19)], [[], []]);
  });

  it('cuts a line by what a terminal draws, with a sign', () => {
    const [first = ''] = texts({ ...busy(), host: '日本'.repeat(30) }, USUAL);
    assert.equal(widthOf(first), 79);
    assert.ok(first.endsWith('…'));
  });

  it('uses the width that there is, and cuts what has no room', () => {
    const long = deny({ subject: 'ip:2001:db8:1234:5678::/64', client: 'ip:2001:db8:1234:5678:9abc:def0:1234:5678' });
    const row = (columns: number) =>
      texts(busy([long]), { columns, rows: 24 }).find((line) => line.startsWith('12:00:00'));
    assert.equal(
      row(200),
      '12:00:00  deny    ip:2001:db8:1234:5678:9abc:def0:1234:5678  ip:2001:db8:1234:5678::/64  manual  k3v9-1a  abuse',
    );
    assert.match(
      row(80) ?? '',
      /^12:00:00 {2}deny {4}ip:2001:db8:\S*… {2}ip:2001:db8:\S*… {2}manual {2}k3v9-1a {2}abuse$/,
    );
  });

  it('says in its last line what can be pressed', () => {
    const last = (view: View) => texts(busy(), { ...USUAL, view }).at(-1);
    assert.equal(texts(busy(), { ...USUAL, view: USUAL_VIEW }).length, 24);
    assert.equal(last(USUAL_VIEW), 'q quit  p pause  s sort: rate  / filter');
    assert.equal(last({ ...USUAL_VIEW, isPaused: true }), 'q quit  p resume  s sort: rate  / filter');
    assert.equal(last({ ...USUAL_VIEW, isTyping: true, filter: '203.' }), 'filter: 203._   Enter keep  Esc remove');
  });

  it('has the rows that match the filter, in the order that was chosen', () => {
    const top = [
      { subject: 'ip:203.0.113.9', list: 'manual', count: 5 },
      { subject: 'ip:203.0.113.7', list: 'FEED', count: 3 },
    ];
    const shown = (view: Partial<View>) =>
      texts(busy([], top), { ...USUAL, view: { ...USUAL_VIEW, ...view } }).flatMap((line) => /ip:\S+/.exec(line) ?? []);
    assert.deepEqual(shown({}), ['ip:203.0.113.9', 'ip:203.0.113.7']);
    assert.deepEqual(shown({ sort: 'name' }), ['ip:203.0.113.7', 'ip:203.0.113.9']);
    assert.deepEqual(shown({ filter: 'feed' }), ['ip:203.0.113.7']);
  });

  it('does what keys say', () => {
    const after = (...names: string[]) =>
      names.reduce<View | 'leave'>((view, name) => {
        assert.notEqual(view, 'leave');
        return pressed(view as View, name.length === 1 ? { sequence: name, name } : { name });
      }, USUAL_VIEW);
    assert.deepEqual(after('s', 's', 'p'), { ...USUAL_VIEW, sort: 'name', isPaused: true });
    assert.deepEqual(after('s', 's', 's', 'space', 'p'), USUAL_VIEW);
    assert.deepEqual(after('/', 'q', 'p', 'x', 'backspace', 'return'), { ...USUAL_VIEW, filter: 'qp' });
    assert.deepEqual(after('/', 'q', 'escape'), USUAL_VIEW);
    assert.equal(after('/', 'q', 'return', 'q'), 'leave');
    assert.equal(pressed({ ...USUAL_VIEW, isTyping: true }, { ctrl: true, name: 'c' }), 'leave');
    const long = after('/', ...'x'.repeat(200));
    assert.equal(long !== 'leave' && long.filter.length, 100);
  });

  it('says what is missing where nothing has been checked yet', () => {
    const lines = texts(overviewOf(agentState({ takenAtMs: NOON, startedAtMs: NOON - 1000 })), USUAL);
    assert.match(lines[1] ?? '', /no request checked yet: see haverdict doctor --haproxy FILE --live$/);
  });

  it('is painted over what was there, with colours only where they are wanted', () => {
    const lines = [{ text: 'a', tone: 'heading' } as const, { text: 'b', tone: 'plain' } as const];
    assert.equal(paint(lines, false), '\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J');
    assert.equal(paint(lines, true), '\x1b[H\x1b[1ma\x1b[0m\x1b[K\r\nb\x1b[K\x1b[J');
  });
});
