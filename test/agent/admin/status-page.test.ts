import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { statusPage } from '../../../agent/admin/status-page.ts';
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
    assert.match(page, /rates since the start/);
    assert.match(page, new RegExp(`<dt>Decisions</dt><dd>${Math.round(100_039_729 / seconds)} `));
  });

  it('shows what happened between two', () => {
    const before = sampleState();
    const [first, ...others] = before.decisions;
    assert.ok(first);
    const decisions = [{ ...first, count: first.count + 50 }, ...others];
    const page = statusPage({ state: sampleState({ takenAtMs: before.takenAtMs + 10_000, decisions }), before });
    assert.match(page, /rates over the last 10 s/);
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

  it('says what is wrong in words, not by colour alone', () => {
    const { backend } = sampleState();
    const page = statusPage({
      state: sampleState({
        backend: { ...backend, breaker: 'open' },
        reloads: { ok: 0, failed: 1, lastError: 'haverdict.yaml:3: deadlineMs must be a whole number' },
      }),
    });
    assert.match(page, /▲ degraded: the backend is failing: the circuit breaker is open; the last reload failed/);
    assert.match(page, /▲ <bdi>haverdict\.yaml:3: deadlineMs must be/);
    assert.match(page, /■ open/);
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
