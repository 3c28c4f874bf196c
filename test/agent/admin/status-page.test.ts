import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { health } from '../../../agent/admin/health.ts';
import { statusPage } from '../../../agent/admin/status-page.ts';
import { agentState } from '../../support/agent-state.ts';
import { sampleState } from './sample-state.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '&lt;',
  '\u202eevil',
  '\u0000\r\n',
  '$&',
];

describe('the status page', () => {
  it('shows means since the start when there is one snapshot', () => {
    const page = statusPage({ state: sampleState() });
    const seconds = (2 * 24 + 5) * 3600;
    assert.match(page, /numbers since the start/);
    assert.match(page, new RegExp(`<dt>Decisions</dt><dd>${Math.round(100_039_729 / seconds)} `));
  });

  it('shows what happened between two', () => {
    const before = sampleState();
    const [first, ...others] = before.decisions;
    assert.ok(first);
    const decisions = [{ ...first, count: first.count + 50 }, ...others];
    const page = statusPage({ state: sampleState({ takenAtMs: before.takenAtMs + 10_000, decisions }), before });
    assert.match(page, /numbers over the last 10 s/);
    assert.match(page, /<dt>Decisions<\/dt><dd>5\.00 /);
  });

  it('never shows a rate below zero when a worker began anew', () => {
    const before = sampleState();
    const page = statusPage({ state: sampleState({ takenAtMs: before.takenAtMs + 1000, decisions: [] }), before });
    assert.doesNotMatch(page.replaceAll('\n', ' '), />-\d/);
  });

  it('is small, however much there is to tell', () => {
    const { recent, top, decisions } = sampleState();
    const [deny] = recent;
    const [most] = top;
    const [decision] = decisions;
    assert.ok(deny && most && decision);
    const page = statusPage({
      state: sampleState({
        recent: Array.from({ length: 50 }, () => ({ ...deny, subject: `ip:${'2001:db8:'.repeat(4)}` })),
        top: Array.from({ length: 20 }, () => ({ ...most, subject: `path:/${'x'.repeat(2000)}` })),
        decisions: Array.from({ length: 300 }, (_, index) => ({ ...decision, list: `list-${index}`, source: 'cache' })),
      }),
    });
    assert.ok(Buffer.byteLength(page) < 40_000, `${Buffer.byteLength(page)} bytes`);
  });

  describe('is red', () => {
    const one = { message: 'check-request', action: 'allow', source: 'policy', reason: '', list: '' } as const;
    /** What happened in ten seconds: decisions of the policy with this reason, others from the function, calls that failed. */
    const happened = (
      reason: string,
      byPolicy: number,
      others: number,
      failed = 0,
      calls = 100,
      isDegraded = false,
    ) => {
      const before = sampleState();
      const state = sampleState({
        takenAtMs: before.takenAtMs + 10_000,
        decisions: [
          ...before.decisions,
          { ...one, reason, count: byPolicy },
          { ...one, source: 'backend', count: others },
          { ...one, source: 'cache', count: 1_000_000 },
        ],
        backend: {
          ...before.backend,
          calls: before.backend.calls + calls,
          failures: { ...before.backend.failures, failing: before.backend.failures.failing + failed },
        },
        degradation: { ...before.degradation, isDegraded },
      });
      const page = statusPage({ state, before });
      return ['By policy', 'Backend'].filter((name) => page.includes(`<div class="bad"><dt>${name}</dt>`));
    };
    const CASES: [string, string[], string[]][] = [
      ['where one of many lookups was late', happened('timeout', 1, 99, 1), []],
      ['where 5 % were late', happened('timeout', 5, 95, 5), []],
      ['where more were late', happened('timeout', 6, 94, 6), ['By policy', 'Backend']],
      ['where the script fails', happened('script_error', 6, 94), ['By policy']],
      ['where one of a few was late', happened('timeout', 1, 18, 1, 19), []],
      ['where clients send what is no subject', happened('bad_subject', 100, 0), []],
      ['where a message has no subject', happened('no_subject', 100, 0), []],
      ['while the agent is degraded', happened('timeout', 1, 99, 0, 100, true), ['By policy']],
    ];
    for (const [what, red, expected] of CASES)
      it(`${expected.length === 0 ? 'nowhere' : `at ${expected.join(' and ')}`}: ${what}`, () =>
        assert.deepEqual(red, expected));
  });

  it('says what is wrong in words, not by colour alone', () => {
    const { backend } = sampleState();
    const page = statusPage({
      state: sampleState({
        backend: { ...backend, breaker: 'open' },
        reloads: { ok: 0, failed: 1, lastError: 'haverdict.yaml:3: deadlineMs must be a whole number' },
      }),
    });
    assert.match(page, /<p id="health" class="bad" data-live>▲ degraded/);
    assert.match(page, /<b>No client is affected yet, the mirror decides<\/b>/);
    assert.match(page, /<b>The previous configuration stays in force, and a restart would fail<\/b>/);
    assert.match(page, /Last error: <bdi>haverdict\.yaml:3: deadlineMs must be/);
    assert.match(page, /▲ <bdi>haverdict\.yaml:3: deadlineMs must be/);
    assert.match(page, /<div class="bad"><dt>Backend<\/dt><dd>no calls<\/dd><dd>breaker open<\/dd>/);
  });

  it('has the host, the state and since when in title and headline; then the consequence, its cause and what to do', () => {
    const { backend, degradation, mirror, takenAtMs } = sampleState();
    const sinceMs = takenAtMs - 252_000;
    const page = statusPage({
      state: sampleState({
        backend: { ...backend, breaker: 'open', lastErrorAtMs: takenAtMs - 1000, lastError: 'backend: timed out' },
        degradation: { ...degradation, isDegraded: true, sinceMs, lookups: 50, letThrough: 50 },
        mirror: { ...mirror, state: 'off' },
      }),
    });
    assert.match(page, /<title>▲ haproxy-1: degraded – haverdict<\/title>/);
    assert.match(page, /▲ degraded since <time [^>]*>14:25:48<\/time> UTC <small>\(4 min 12 s\)/);
    assert.match(
      page,
      /<li><b>Listed clients may pass, because[^<]* policy<\/b>\n<br><strong>To do:<\/strong> .*\n<br>Cause: calls to the backend fail and are paused \(circuit breaker open\); 100\.0 %/,
    );
    assert.match(page, /Last error at <time [^>]*>14:29:59<\/time> UTC: <bdi>backend: timed out/);
    assert.equal(page.match(/To do:/g)?.length, 1);
    assert.match(page, /runbook\.md#haverdictbreakeropen/);
    assert.match(page, /id="panels">\n<section id="backend"/);
  });

  it('says since when of every problem that has a time, with the date of another day', () => {
    const { updates, mirror, startedAtMs, takenAtMs } = sampleState();
    const behind = (ageSeconds: number | null) =>
      statusPage({ state: sampleState({ updates: { ...updates, state: 'behind', ageSeconds }, mirror }) });
    assert.match(behind(100), /degraded since <time [^>]*>14:29:20<\/time>/, 'allowTtlSeconds is 60');
    assert.match(behind(null), /degraded since <time [^>]*>2026-11-20 09:30:00<\/time>/, 'since the start');
    assert.equal(new Date(startedAtMs).toISOString(), '2026-11-20T09:30:00.000Z');
    const failed = { ok: 0, failed: 1, lastError: 'x', lastErrorAtMs: takenAtMs - 60_000 };
    assert.match(statusPage({ state: sampleState({ reloads: failed }) }), /degraded since <time [^>]*>14:29:00</);
    const loading = statusPage({ state: sampleState({ mirror: { ...mirror, state: 'loading' } }) });
    assert.match(loading, /data-live>▲ degraded<\/p>/);
    assert.match(loading, /id="panels">\n<section id="updates"/);
  });

  it('names a section of the runbook for every problem', () => {
    const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
    const { backend, degradation, updates, mirror } = sampleState();
    const reloads = { ok: 0, failed: 1, lastError: 'x' };
    const named = ['timeout', 'overload', 'breaker_open', 'internal_error'].flatMap((reason) =>
      (['closed', 'probing', 'open'] as const).flatMap((breaker) =>
        (['live', 'behind'] as const).flatMap(
          (state) =>
            health(
              sampleState({
                reloads,
                updates: { ...updates, state, ageSeconds: 90 },
                mirror: { ...mirror, state: 'behind' },
                backend: { ...backend, breaker },
                degradation: {
                  ...degradation,
                  isDegraded: true,
                  lookups: 9,
                  denied: 9,
                  byPolicy: { ...degradation.byPolicy, [reason]: 9 },
                },
              }),
            ).problems,
        ),
      ),
    );
    for (const { runbook: section } of named) assert.match(runbook, new RegExp(`^## ${section}$`, 'm'));
    assert.equal(new Set(named.map(({ runbook: section }) => section)).size, 5);
  });

  it('breaks an address between its groups only, and nothing that merely looks like one', () => {
    const { recent } = sampleState();
    const [deny] = recent;
    assert.ok(deny);
    const shown = (subject: string) => statusPage({ state: sampleState({ recent: [{ ...deny, subject }], top: [] }) });
    assert.match(shown('ip:2001:db8::7/128'), /<bdi>ip:2001:<wbr>db8:<wbr>:<wbr>7\/128<\/bdi>/);
    assert.match(shown('ip:203.0.113.7'), /<bdi>ip:203\.0\.113\.7<\/bdi>/);
    assert.match(shown('path:/a:b'), /<bdi>path:\/a:b<\/bdi>/);
    assert.match(shown('ip:<b>:'), /<bdi>ip:&#60;b&#62;:<\/bdi>/);
  });

  it('says when a backend recovered', () => {
    const { degradation, takenAtMs } = sampleState();
    const page = statusPage({
      state: sampleState({ degradation: { ...degradation, recoveredAtMs: takenAtMs - 5000 } }),
    });
    assert.match(page, /● ready<\/p>/);
    assert.match(page, /backend recovered <time [^>]*>14:29:55</);
  });

  it('is amber where nothing is wrong yet: just started, or without a request', () => {
    const { updates, startedAtMs } = sampleState();
    const changes = {
      takenAtMs: startedAtMs + 5000,
      updates: { ...updates, state: 'behind', ageSeconds: null },
    } as const;
    const starting = statusPage({ state: sampleState(changes) });
    assert.match(starting, /<p id="health" class="wait" data-live>◌ starting<\/p>/);
    assert.match(starting, /<ul class="problems wait">.*To do:<\/strong> wait,/s);
    assert.doesNotMatch(starting, /"problems bad"/);
    assert.match(statusPage({ state: agentState() }), /class="wait" data-live>◌ ready, but no request yet<\/p>/);
  });

  it('has a command in the font of code', () => {
    const { updates } = sampleState();
    const behind = statusPage({ state: sampleState({ updates: { ...updates, state: 'behind', ageSeconds: 90 } }) });
    assert.match(
      behind,
      /To do:<\/strong> read the agent&#39;s log <code>journalctl -u haverdict -n 50<\/code>\. Runbook/,
    );
  });

  it('says what is missing until the first decision', () => {
    const empty = agentState();
    const missing = (spop: Partial<typeof empty.spop>) =>
      statusPage({ state: { ...empty, spop: { ...empty.spop, ...spop } } });
    assert.match(
      missing({}),
      /No request has been checked yet.*HAProxy has not connected to <bdi>tcp:\/\/127\.0\.0\.1:9000/,
    );
    assert.match(
      missing({ accepted: 2, healthChecks: 9 }),
      /HAProxy is connected and checks the agent, but has sent no message/,
    );
    assert.match(missing({}), /id="panels">\n<section id="haproxy"/);
    assert.match(missing({}), /<pre><code>haverdict doctor --haproxy [^<\n]+<\/code><\/pre>/);
    assert.doesNotMatch(statusPage({ state: sampleState() }), /No request has been checked yet/);
  });

  it('draws the last minute from 0 to its greatest value, the newest at the right', () => {
    const second = (at: number, decisions: number) => ({
      ...{ atMs: at * 1000, decisions, denied: 0, byPolicy: 0, p99Seconds: null },
    });
    const seconds = [second(9, 0), second(10, 0), second(11, 50), second(12, 100), second(13, 100)];
    const page = statusPage({ state: sampleState({ lastMinute: seconds }) });
    const [first] = page.match(/<dd class="spark">.*?<\/dd>/g) ?? [];
    assert.match(first ?? '', /points="55,19 56,19 57,10 58,1 59,1 59,1"/);
    assert.match(first ?? '', /aria-label="last 60 s: from 0 to 100 \/s"/);
    assert.equal(page.match(/<dd>0 to 100 \/s in 60 s<\/dd>/g)?.length, 1, 'the scale');
    assert.equal(page.match(/<dd>0 in 60 s<\/dd>/g)?.length, 1);
    assert.equal(page.match(/<polyline/g)?.length, 2, 'no share and no p99 without decisions');
  });

  it('leaves a gap in a line where there is no value, and draws one value as a dot', () => {
    const p99 = [0.01, null, 0.02, 0.02, null, 0.02, 0.02];
    const lastMinute = p99.map((p99Seconds, index) => ({
      ...{ atMs: (index + (index > 5 ? 3 : 0)) * 1000, decisions: 0, denied: 0, byPolicy: 0, p99Seconds },
    }));
    const page = statusPage({ state: sampleState({ lastMinute }) });
    const lines = page.match(/<dd class="spark">.*?<\/dd>/g)?.at(-1) ?? '';
    assert.deepEqual(
      [...lines.matchAll(/points="([^"]*)"/g)].map(([, points]) => points),
      ['50,10 50,10', '52,1 53,1 53,1', '55,1 55,1', '59,1 59,1'],
    );
    assert.doesNotMatch(statusPage({ state: sampleState({ lastMinute: lastMinute.slice(0, 4) }) }), /<polyline/);
  });

  it('never shows few denies as calm while listed clients may pass', () => {
    const { degradation, takenAtMs } = sampleState();
    const of = (isBefore: boolean, state: 'off' | 'live') => {
      const sinceMs = takenAtMs - (isBefore ? 20_000 : 90_000);
      const lastMinute = Array.from({ length: 60 }, (_, index) => ({
        ...{ atMs: takenAtMs - (60 - index) * 1000, decisions: 9, byPolicy: 0, p99Seconds: 0.001 },
        denied: index < 40 ? 4 : 0,
      }));
      const { mirror } = sampleState();
      const episode = { ...degradation, isDegraded: true, sinceMs, lookups: 9, letThrough: 9 };
      const page = statusPage({
        state: sampleState({ degradation: episode, mirror: { ...mirror, state }, lastMinute }),
      });
      return /<div([^>]*)><dt>Denied<\/dt><dd>.*?<\/dd><dd>(.*?)<\/dd>/.exec(page)?.slice(1);
    };
    assert.deepEqual(of(false, 'off'), [' class="bad"', 'listed may pass']);
    const [tone, before = ''] = of(true, 'off') ?? [];
    assert.equal(tone, ' class="bad"');
    assert.match(before, /^4\.00 \/s until <time [^>]*>14:29:40</);
    assert.deepEqual(of(true, 'live'), ['', '0.4 % of all'], 'the mirror denies them');
  });

  it('has red on the tile of updates where they are behind, and amber after a start', () => {
    const { updates, mirror, startedAtMs } = sampleState();
    const off = { ...mirror, state: 'off' } as const;
    const behind = { ...updates, state: 'behind', ageSeconds: null } as const;
    const bad = statusPage({ state: sampleState({ updates: behind, mirror: off }) });
    assert.match(bad, /<div class="bad"><dt>Updates<\/dt><dd>behind<\/dd><dd>hit ratio/);
    assert.equal(bad.match(/<div class="bad">/g)?.length, 1);
    const starting = sampleState({ updates: behind, mirror: off, takenAtMs: startedAtMs + 5000 });
    assert.match(statusPage({ state: starting }), /<div class="wait"><dt>Updates<\/dt><dd>◌ starting</);
    const loading = sampleState({ mirror: { ...mirror, state: 'loading' } });
    assert.match(statusPage({ state: loading }), /<div class="bad"><dt>Mirror<\/dt><dd>not loaded</);
  });

  for (const text of HOSTILE) {
    it(`escapes ${JSON.stringify(text)} wherever traffic or a table can put it`, () => {
      assertHarmless(text);
    });
  }

  it('escapes any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assertHarmless(text)));
  });
});

/** The same markup as for harmless text: nothing of the text has become part of it. */
function assertHarmless(text: string): void {
  const page = pageWith(text);
  assert.deepEqual(tagsOf(page), tagsOf(pageWith('x')));
  assert.doesNotMatch(page.replaceAll('\n', ' '), /[\p{Cf}\p{Cc}]/u);
}

function pageWith(text: string): string {
  const { recent, top, decisions, backend } = sampleState();
  const [deny] = recent;
  const [most] = top;
  const [decision] = decisions;
  assert.ok(deny && most && decision);
  return statusPage({
    state: sampleState({
      host: text,
      listening: [text],
      recent: [{ ...deny, subject: text, reason: text, list: text, ref: text }],
      top: [{ ...most, subject: text, list: text }],
      decisions: [{ ...decision, list: text, reason: text, message: text }],
      backend: { ...backend, lastError: text, urls: [text] },
      reloads: { ok: 0, failed: 1, lastError: text },
    }),
  });
}

function tagsOf(page: string): string[] {
  return page.match(/<[^>]*>/g) ?? [];
}
