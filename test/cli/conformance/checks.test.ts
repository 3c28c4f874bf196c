import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { CHECKS } from '../../../cli/conformance/checks.ts';
import { latency, percentile } from '../../../cli/conformance/latency.ts';
import { type Result, runChecks } from '../../../cli/conformance/run-checks.ts';
import { type Answer, Target } from '../../../cli/conformance/target.ts';
import { type Answered, type Asked, type Break, brokenBackend, LISTED } from '../../support/broken-backend.ts';

describe('check-backend', () => {
  it('finds nothing wrong with our own function', async (t) => {
    const url = await brokenBackend(t, () => undefined);
    assert.deepEqual(wrong(await resultsOf(url)), []);
  });

  it('skips updates where there are none: they are optional', async (t) => {
    const url = await brokenBackend(t, ({ path }) =>
      /^\/v1\/(updates|mirror)/.test(path) ? { status: 404 } : undefined,
    );
    const skipped = wrong(await resultsOf(url));
    assert.deepEqual(
      skipped.map(({ name, state }) => [name, state]),
      ['updates', 'updates-cursor', 'updates-lists', 'mirror', 'mirror-segments', 'mirror-lists'].map((name) => [
        name,
        'skipped',
      ]),
    );
  });

  it('skips the mirror where there is none, or none yet', async (t) => {
    for (const status of [404, 503]) {
      const url = await brokenBackend(t, ({ path }) => (path.startsWith('/v1/mirror') ? { status } : undefined));
      const skipped = wrong(await resultsOf(url));
      assert.deepEqual(
        skipped.map(({ name, state }) => [name, state]),
        ['mirror', 'mirror-segments', 'mirror-lists'].map((name) => [name, 'skipped']),
      );
    }
  });

  it('skips what it has no entry for, and says what would be needed', async (t) => {
    const results = await resultsOf(await brokenBackend(t, () => undefined), { lists: ['other'] });
    const skipped = results.filter(({ state }) => state === 'skipped');
    assert.deepEqual(
      skipped.map(({ name }) => name),
      ['listed', 'entries', 'outcomes'],
    );
    for (const { why } of skipped) assert.match(why, /--listed/);
    assert.deepEqual(
      results.filter(({ state }) => state === 'failed'),
      [],
    );
  });

  it('asks nothing more where nothing answers', async () => {
    const [first, ...others] = await resultsOf('http://127.0.0.1:1');
    assert.deepEqual(first, { name: 'reachable', state: 'failed', why: 'no answer: ECONNREFUSED' });
    assert.equal(others.length, Object.keys(CHECKS).length - 1);
    assert.ok(others.every(({ state, why }) => state === 'skipped' && why === 'the backend is not reachable'));
  });
});

const PAGE = { cursor: 'a.1.b', changes: [], provenAgeMs: null, now: 1, more: false, waitMs: 1000 };
const OPEN_REDIRECT = { action: 'redirect', shadow: undefined, vars: { location: '//evil.example' } };

/** For each check the ways to be wrong that it alone is there to find. */
const BROKEN: readonly (readonly [check: string, how: string, change: Break])[] = [
  ['reachable', 'wants signed requests', () => ({ status: 403 })],
  ['health', 'has no health', ({ path }) => (path === '/v1/health' ? { status: 500 } : undefined)],
  ['check', 'leaves the entry out', answers((verdicts) => verdicts.map(({ subject }) => ({ subject })))],
  ['check', 'answers no JSON object', ({ right }) => (right.status === 200 ? { json: [] } : undefined)],
  ['check', 'answers 503 for one subject it knows', ({ json }) => (json?.subjects ? { status: 503 } : undefined)],
  ['content-type', 'answers text', ({ right }) => (right.status === 200 ? { contentType: 'text/plain' } : undefined)],
  ['ttl', 'lets answers live for ever', ttl(1e9)],
  ['ttl', 'lets answers live for half a second', ttl(0.5)],
  ['order', 'answers in another order', answers((verdicts) => verdicts.toReversed())],
  ['order', 'forgets the last', answers((verdicts) => (verdicts.length > 2 ? verdicts.slice(0, -1) : verdicts))],
  [
    'repeated',
    'answers each subject once',
    answers((verdicts) => [...new Map(verdicts.map((v) => [v.subject, v])).values()]),
  ],
  [
    'ipv6',
    'writes addresses out',
    answers((v) => v.map((one) => ({ ...one, subject: one.subject.replace('::', ':0:0:0:0:0:0:') }))),
  ],
  [
    'kinds',
    'knows addresses only',
    answers((v) => v.map((one) => (one.subject.startsWith('ip:') ? one : { subject: one.subject, error: 'no' }))),
  ],
  [
    'kinds',
    'answers half of the kinds by silence',
    answers((v) => v.map((one) => (one.subject.startsWith('ua:') ? { subject: one.subject } : one))),
  ],
  [
    'long-subject',
    'takes short bodies only',
    ({ body }) => (body.length > 1000 && body.includes('path:') ? { status: 413 } : undefined),
  ],
  ['hundred-subjects', 'takes fifty', ({ json }) => (json?.subjects?.length === 100 ? { status: 400 } : undefined)],
  ['unknown-list', 'refuses a list it does not have', unlessListed({ status: 404 })],
  ['unknown-list', 'answers for a list it does not have', unlessListed(undefined, deniedIn('haverdict-no-such-list'))],
  ['unknown-kind', 'refuses all for one', ({ body }) => (body.includes('moon:') ? { status: 400 } : undefined)],
  ['unknown-kind', 'fails the neighbour', ({ body, right }) => (body.includes('moon:') ? failing(right) : undefined)],
  ['unknown-fields', 'is strict', ({ json }) => (json?.hints ? { status: 400 } : undefined)],
  ['listed', 'finds nothing', answers((verdicts) => verdicts.map((one) => ({ ...one, entry: null })))],
  [
    'listed',
    'finds it in every list',
    async ({ json, right, path, ask }) =>
      json?.subjects?.[0] === LISTED && json.lists[0] !== 'manual' && right.status === 200
        ? ask('POST', path, JSON.stringify({ ...json, lists: ['manual'] }))
        : undefined,
  ],
  [
    'too-many-subjects',
    'takes what fits',
    ({ json, ask, path }) =>
      json?.subjects?.length > 100
        ? ask('POST', path, JSON.stringify({ ...json, subjects: json.subjects.slice(0, 100) }))
        : undefined,
  ],
  [
    'no-subjects',
    'answers nothing for nothing',
    ({ json }) => (json?.subjects?.length === 0 ? { status: 200, json: { verdicts: [], ttl: 60 } } : undefined),
  ],
  [
    'no-lists',
    'looks into no list',
    ({ json }) =>
      json?.lists?.length === 0
        ? { status: 200, json: { verdicts: [{ subject: json.subjects[0], entry: null }], ttl: 60 } }
        : undefined,
  ],
  ['wrong-types', 'breaks', ({ json }) => (json?.subjects?.[0] === 7 ? { status: 500 } : undefined)],
  ['bad-json', 'breaks', ({ body, json }) => (body !== '' && json === undefined ? { status: 500 } : undefined)],
  ['empty-body', 'breaks', ({ body, method }) => (method === 'POST' && body === '' ? { status: 502 } : undefined)],
  [
    'wrong-method',
    'takes any',
    ({ method }) => (method === 'PUT' ? { status: 200, json: { verdicts: [], ttl: 1 } } : undefined),
  ],
  [
    'wrong-path',
    'answers anywhere',
    ({ path }) => (path === '/v1/no-such-path' ? { status: 200, json: { verdicts: [], ttl: 1 } } : undefined),
  ],
  ['wrong-path', 'says bad request', ({ path }) => (path === '/v1/no-such-path' ? { status: 400 } : undefined)],
  [
    'no-internals',
    'shows a stack',
    ({ right }) =>
      right.status === 400 ? { json: { error: 'Error: no\n    at check (/srv/app.js:7:3)' } } : undefined,
  ],
  ['updates', 'fails', updates({ status: 500 })],
  ['updates', 'forgets the cursor', updates({ json: { ...PAGE, cursor: undefined } })],
  ['updates', 'begins with the whole list', updates({ json: { ...PAGE, changes: [change('manual')] } })],
  [
    'updates',
    'tells of every list',
    ({ path }) => (path.includes('after=') ? page({ ...PAGE, changes: [change('other')] }) : page(PAGE)),
  ],
  [
    'updates',
    'does not know its own cursor',
    ({ path }) => (path.includes('after=') ? { status: 410, json: {} } : page(PAGE)),
  ],
  ['updates-cursor', 'takes any', updates({ json: PAGE })],
  ['updates-lists', 'needs no lists', updates({ json: PAGE })],
  ['parallel', 'confuses callers', confused()],
  ['list-actions', 'is strict', ({ json }) => (json?.listActions ? { status: 400 } : undefined)],
  ['shadow', 'is strict', ({ json }) => (json?.shadowLists ? { status: 400 } : undefined)],
  [
    'shadow',
    'would do another thing',
    answers((v) =>
      v.map((one) => (one.entry?.action === 'log' ? { ...one, entry: { ...one.entry, shadow: 'drop' } } : one)),
    ),
  ],
  [
    'outcomes',
    'redirects to another host by a path',
    answers((v) => v.map((one) => (one.entry ? { ...one, entry: { ...one.entry, ...OPEN_REDIRECT } } : one))),
  ],
  [
    'entries',
    'answers what has ended',
    answers((v) => v.map((one) => (one.entry ? { ...one, entry: { ...one.entry, expiresAt: 1 } } : one))),
  ],
  [
    'entries',
    'answers a neighbour',
    answers((v) => v.map((one) => (one.entry ? { ...one, entry: { ...one.entry, subject: 'ip:10.0.0.0/8' } } : one))),
  ],
  [
    'entries',
    'answers another list',
    answers((v) => v.map((one) => (one.entry ? { ...one, entry: { ...one.entry, list: 'feed' } } : one))),
  ],
  [
    'mirror',
    'has a manifest without a digest',
    mirror(({ json }) => ({ json: { ...json, lists: { manual: { count: 6 } } } })),
  ],
  ['mirror', 'has a cursor of nobody', mirror(({ json }) => ({ json: { ...json, cursor: 'nobody' } }))],
  ['mirror', 'counts otherwise', mirror(({ json }) => ({ json: { ...json, segments: [] } }))],
  [
    'mirror-segments',
    'has another digest',
    mirror(({ json }) => ({ json: { ...json, lists: { manual: { ...json.lists.manual, digest: '0'.repeat(16) } } } })),
  ],
  ['mirror-segments', 'has other bytes', segment(({ json }) => ({ json: `${json}\n` }))],
  ['mirror-segments', 'has a flipped entry', segment(({ json }) => ({ json: json.replace('"ip:192', '"ip:193') }))],
  ['mirror-segments', 'has lost a segment', segment(() => ({ status: 404 }))],
  [
    'mirror-segments',
    'has segments of everybody',
    ({ path }) => (path.includes('nosuchmirror') ? { status: 200, json: '' } : undefined),
  ],
  ['mirror-lists', 'takes no lists', ({ path }) => (path === '/v1/mirror' ? { status: 200 } : undefined)],
  ['valid-answers', 'says everything with 200', ({ right }) => (right.status === 200 ? undefined : { status: 200 })],
  ['latency', 'gives up after a while', givingUp(80)],
];

describe('check-backend fails', { concurrency: 8 }, () => {
  it('"list-actions" of a backend that ignores them only where the settings hold lists', async (t) => {
    const url = await brokenBackend(t, ({ json, right }) =>
      json?.listActions && right.json.verdicts
        ? {
            json: {
              verdicts: [{ subject: LISTED, entry: { subject: LISTED, list: 'manual', action: 'deny' } }],
              ttl: 1,
            },
          }
        : undefined,
    );
    const resultOf = async (more: object) =>
      (await resultsOf(url, more)).find(({ name }) => name === 'list-actions') ?? assert.fail();
    const usual = await resultOf({});
    assert.equal(usual.state, 'ok');
    const held = await resultOf({ listActions: { manual: ['deny'] } });
    assert.equal(held.state, 'failed');
    assert.match(held.why, /hides entries of others/);
  });

  for (const [check, how, change] of BROKEN)
    it(`"${check}" of a backend that ${how}`, async (t) => {
      const results = await resultsOf(await brokenBackend(t, change));
      const result = results.find(({ name }) => name === check);
      assert.equal(result?.state, 'failed', JSON.stringify(results, null, 1));
      assert.ok(result.why.length > 10 && !result.why.includes('\n'), result.why);
    });

  it('every check in at least one of these ways', () => {
    assert.deepEqual(new Set(BROKEN.map(([check]) => check)), new Set(Object.keys(CHECKS)));
  });
});

describe('the latency', () => {
  const seen = (ms: (call: number) => number, calls: number) =>
    latency(new TimedTarget(ms), { lists: ['manual'], calls });

  it('is told as the middle and the slowest hundredth', async () => {
    assert.equal(await seen((call) => call, 100), 'p50 50.0 ms, p99 99.0 ms of 100 calls');
  });
  it('is a failure where the agent could not wait for it', async () => {
    await assert.rejects(
      seen(() => 2001, 3),
      /p99 2001.0 ms of 3 calls: the agent waits 2000 ms unless/,
    );
    await seen(() => 2000, 3);
  });
  it('has percentiles of any number of values', () => {
    assert.deepEqual([percentile([], 0.5), percentile([3], 0.99), percentile([4, 1, 2, 3], 0.5)], [0, 3, 2]);
  });
});

class TimedTarget extends Target {
  #call = 0;
  readonly #ms: (call: number) => number;

  constructor(ms: (call: number) => number) {
    super('http://127.0.0.1:1', 1);
    this.#ms = ms;
  }

  override async check({ subjects }: { readonly subjects: readonly string[] }): Promise<Answer> {
    const verdicts = subjects.map((subject) => ({ subject, entry: null }));
    this.#call++;
    const ms = this.#ms(this.#call);
    return { status: 200, contentType: 'application/json', text: JSON.stringify({ verdicts, ttl: 1 }), ms };
  }
}

async function resultsOf(url: string, { lists = ['manual'], ...more } = {}): Promise<Result[]> {
  const listed = lists[0] === 'manual' ? { listed: LISTED } : {};
  const results: Result[] = [];
  for await (const result of runChecks(new Target(url, 2000), { lists, calls: 20, ...listed, ...more }))
    results.push(result);
  return results;
}

function wrong(results: readonly Result[]): Result[] {
  return results.filter(({ state }) => state !== 'ok');
}

// biome-ignore lint/suspicious/noExplicitAny: verdicts of whatever form the test wants
type Verdicts = any[];

function answers(change: (verdicts: Verdicts) => Verdicts): Break {
  return ({ right }) =>
    right.json.verdicts ? { json: { ...right.json, verdicts: change(right.json.verdicts) } } : undefined;
}

function ttl(seconds: number): Break {
  return ({ right }) => (right.json.verdicts ? { json: { ...right.json, ttl: seconds } } : undefined);
}

function updates(answer: Partial<Answered>): Break {
  return ({ path }) => (path.startsWith('/v1/updates') ? { status: 200, ...answer } : undefined);
}

function mirror(change: (right: Answered) => Partial<Answered>): Break {
  return ({ path, right }) => (path.startsWith('/v1/mirror?') ? change(right) : undefined);
}

function segment(change: (right: Answered) => Partial<Answered>): Break {
  return ({ path, right }) => (/^\/v1\/mirror\/\w+\/0$/.test(path) && right.status === 200 ? change(right) : undefined);
}

function page(json: object): Partial<Answered> {
  return { status: 200, json };
}

function change(list: string) {
  return { key: { subject: LISTED, list }, entry: null };
}

function deniedIn(list: string) {
  return (subject: string) => ({ subject, entry: { subject, list, action: 'deny' } });
}

function unlessListed(answer: Partial<Answered> | undefined, verdict?: (subject: string) => object): Break {
  return ({ json }) => {
    if (json?.lists?.[0] !== 'haverdict-no-such-list') return undefined;
    return answer ?? { json: { verdicts: json.subjects.map(verdict), ttl: 1 } };
  };
}

function failing({ json }: Answered): Partial<Answered> {
  return {
    json: { ...json, verdicts: json.verdicts.map(({ subject }: { subject: string }) => ({ subject, error: 'no' })) },
  };
}

/** Keeps what it was asked where the next caller writes too. */
function confused(): Break {
  let last: Asked | undefined;
  return async (asked) => {
    last = asked;
    await delay(5);
    return last.right;
  };
}

function givingUp(calls: number): Break {
  let left = calls;
  return ({ json }) =>
    json?.subjects?.length === 1 && left-- < 70 && String(json.subjects[0]).startsWith('ip:203.0.113.1')
      ? { status: 503 }
      : undefined;
}
