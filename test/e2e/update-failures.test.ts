import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AgentState } from '../../agent/state/state.ts';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { type HaproxyBuild, newerBuild } from '../../dev/haproxy-builds.ts';
import { adminUrl } from '../support/agent-before.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { hasNewer, SCOPE } from '../support/scope.ts';
import { until } from '../support/until.ts';
import { type Instead, LIST, UpdatesFunction } from '../support/updates-function.ts';

const DEADLINE_MS = 5000;
const TTL_SECONDS = 3;
/** For visits and for the one that was sent last: an answer of a busy machine. */
const SLACK_MS = 2000;

/** What goes wrong, from its begin to its end. */
interface Failure {
  readonly what: string;
  readonly state: AgentState['updates']['state'];
  begin(backend: UpdatesFunction): void;
  /** When an entry has been put meanwhile. */
  afterPut?(backend: UpdatesFunction): void;
  end(backend: UpdatesFunction): void | Promise<void>;
  /** What the agent logs. */
  readonly logged?: RegExp | undefined;
  /** Of those that `npm test` has, too. */
  readonly isUsual?: true;
}

const POLLS_FAIL = /"updates cannot be polled: changes take effect as cached verdicts expire"/;
const BEGINS_ANEW = /"updates begin anew: every cached verdict counts as expired"/;

/** A function that answers requests for updates like this. */
function answering(what: string, instead: Instead, more: Partial<Failure> = {}): Failure {
  return {
    ...{ what, state: 'behind', logged: POLLS_FAIL },
    begin: (backend) => backend.answer(() => instead),
    end: (backend) => backend.answer(),
    ...more,
  };
}

function status(code: number): Instead {
  return (response) => void response.writeHead(code).end('{"error":"no"}');
}

/** The right page, with other parts. */
function withParts(more: object | ((page: object) => object)): Instead {
  return (response, { body }) => {
    const page = JSON.parse(body);
    response.end(JSON.stringify({ ...page, ...(typeof more === 'function' ? more(page) : more) }));
  };
}

/** What would let everybody in who is known, if any of it were applied. */
const nobodyListed = (index: number) => ({ key: { subject: `ip:127.8.${index}.1`, list: LIST }, entry: null });
const goneAndMore = (bad: unknown) =>
  withParts({ changes: [...Array.from({ length: 50 }, (_, index) => nobodyListed(index)), bad] });

const FAILURES: Failure[] = [
  {
    what: 'the writer is broken',
    state: 'behind',
    begin: (backend) => backend.breakWriter(true),
    end: (backend) => backend.breakWriter(false),
    isUsual: true,
  },
  {
    what: 'the log is trimmed before the agent has read the change',
    state: 'live',
    begin: (backend) => backend.answer(() => status(503)),
    afterPut(backend) {
      backend.log.records.splice(0, backend.log.records.length - 1);
      backend.answer();
    },
    end() {},
    logged: BEGINS_ANEW,
    isUsual: true,
  },
  {
    what: 'the table is restored: events are lost, and the stream is another one',
    state: 'behind',
    begin: (backend) => backend.breakWriter(true),
    afterPut(backend) {
      backend.loseEvents();
      backend.stream += '+';
      backend.breakWriter(false);
    },
    end: (backend) => backend.build(),
    logged: BEGINS_ANEW,
  },
  {
    what: 'the log lacks a record',
    state: 'behind',
    begin(backend) {
      backend.answer(() => status(503));
    },
    afterPut(backend) {
      backend.log.records.splice(-1, 1);
      const [last] = backend.log.records.slice(-1);
      if (last !== undefined) backend.log.records.push({ ...last, number: last.number + 2, id: 'beyond' });
      backend.answer();
    },
    end(backend) {
      backend.log.records.splice(0, backend.log.records.length - 1);
    },
  },
  answering('every cursor gets 410', status(410), {
    state: 'live',
    begin: (backend) => backend.answer((query) => (query.includes('after=') ? status(410) : undefined)),
    logged: BEGINS_ANEW,
  }),
  answering('every request for updates gets 410', status(410)),
  ...[400, 403, 429, 500, 503, 302].map((code) => answering(`requests for updates get ${code}`, status(code))),
  answering('the answer is no JSON', (response) => void response.end('<html>502 Bad Gateway</html>')),
  answering('the answer is another JSON', (response) => void response.end('[]')),
  answering('there is no answer', () => {}),
  answering('the connection is closed', (response) => void response.destroy()),
  answering('the answer ends half-way', (response, { body }) => {
    response.writeHead(200, { 'content-length': body.length }).write(body.slice(0, body.length / 2));
    setTimeout(() => response.destroy(), 10);
  }),
  answering('half a page comes as a whole answer', (response, { body }) => void response.end(body.slice(0, -9))),
  answering(
    'a page has an entry of a list that was not asked',
    goneAndMore({ key: { subject: 'ip:192.0.2.1', list: 'x' }, entry: null }),
    {
      isUsual: true,
    },
  ),
  answering('a page has a change that is none', goneAndMore(17)),
  answering('a page has wrong types', withParts({ provenAgeMs: '5', more: 'no' })),
  answering('a page has too many changes', withParts({ changes: Array(2001).fill(nobodyListed(1)) })),
  answering('a page has 2 MB', withParts({ padding: 'x'.repeat(2 * 1024 * 1024) })),
  answering('a page proves nothing', withParts({ provenAgeMs: null }), { logged: undefined }),
  answering('a page proves what is an hour old', withParts({ provenAgeMs: 3_600_000 }), { logged: undefined }),
];

describeOnEveryHaproxy('a site whose updates fail', (build) => {
  for (const mode of hasNewer ? (['invalidate', 'mirror'] as const) : (['invalidate'] as const))
    describe(`in mode ${mode}`, () => failing(mode, build));
});

function failing(mode: 'invalidate' | 'mirror', build: HaproxyBuild): void {
  let backend: UpdatesFunction;
  let site: Site;
  let admin: string;
  before(async () => {
    backend = await UpdatesFunction.start();
    site = await startSite({
      ...{ haproxy: build, backendUrl: backend.url },
      config: {
        ...{ deadlineMs: DEADLINE_MS, policy: 'open', admin: { listen: 'tcp://127.0.0.1:0' } },
        cache: { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS },
        updates: { mode, pollMs: 200 },
        backend: { timeoutMs: DEADLINE_MS },
      },
    });
    admin = await adminUrl(site.agent);
  });
  after(async () => {
    await site?.stop();
    await backend?.close();
  });

  const deny = (subject: string) => backend.put({ subject, list: LIST, action: 'deny' });
  const statusOf = async (from: string) => (await site.visit(from)).status;
  const told = async () => {
    const [state, ready, metrics, page] = await Promise.all(
      ['/state.json', '/readyz', '/metrics', '/'].map(async (path) => (await fetch(admin + path)).text()),
    );
    const { updates } = JSON.parse(state ?? '') as AgentState;
    return {
      state: updates.state,
      lastError: updates.lastError,
      ready: ready?.trim() ?? '',
      metrics: metrics ?? '',
      page: page ?? '',
    };
  };
  const untilTold = async (wanted: AgentState['updates']['state']) => {
    const is = async () => (await told()).state === wanted;
    await until(is, () => `updates are not ${wanted}: ${site.agent.lines.slice(-5).join('\n')}`, 30_000);
  };

  const isWhole = SCOPE === 'all' || (mode === 'mirror' && build.release === newerBuild('experimental')?.release);
  const failures = isWhole ? FAILURES : FAILURES.filter(({ isUsual }) => isUsual);
  for (const failure of failures)
    it(`says so, and lets nobody in whom lifetimes would have stopped: ${failure.what}`, async () => {
      const [known, late, next] = [1, 2, 3].map((last) => `127.8.${FAILURES.indexOf(failure)}.${last}`) as [
        string,
        string,
        string,
      ];
      await untilTold('live');
      await deny(`ip:${known}`);
      await until(
        async () => (await statusOf(known)) === 403,
        () => 'not denied while all is well',
      );
      assert.deepEqual([await statusOf(late), await statusOf(next)], [200, 200]);
      const logged = site.agent.lines.length;

      failure.begin(backend);
      await deny(`ip:${late}`);
      failure.afterPut?.(backend);
      const isStopped = async () => {
        assert.equal(await statusOf(known), 403);
        return (await statusOf(late)) === 403;
      };
      await until(isStopped, () => 'let in for longer than a verdict is kept', TTL_SECONDS * 1000 + SLACK_MS);
      await untilTold(failure.state);
      const { state, ready, metrics, page } = await told();
      assert.equal(state, failure.state);
      if (state === 'behind') assert.match(ready, /^(degraded|starting): .*new blocks take effect after up to 3 s/);
      else assert.doesNotMatch(ready, /new blocks take effect/); // a mirror may be loaded anew
      assert.match(metrics, new RegExp(`^haverdict_updates_state\\{state="${state}"\\} 1$`, 'm'));
      assert.match(page, new RegExp(`updates.*${state}`));
      assert.deepEqual([await statusOf(known), await statusOf(late)], [403, 403]);

      const lines = () => site.agent.lines.slice(logged).filter((line) => line.includes('updates'));
      const hasLogged = (wanted: RegExp) => lines().some((line) => wanted.test(line));
      if (failure.logged === POLLS_FAIL)
        await until(
          () => hasLogged(POLLS_FAIL),
          () => 'not logged',
          30_000,
        );
      if (failure.logged === POLLS_FAIL) {
        const { ready: line, lastError, page: shown } = await told();
        assert.match(line, /: changes to the lists cannot be fetched; complete up to \d+ s ago/);
        assert.ok(lastError !== undefined && shown.includes('Last error at'), shown);
      }
      await failure.end(backend);
      await untilTold('live');
      assert.equal((await told()).lastError, undefined);
      await deny(`ip:${next}`);
      await until(
        async () => (await statusOf(next)) === 403,
        () => 'not denied when all is well again',
      );
      if (failure.logged === undefined) assert.ok(!hasLogged(POLLS_FAIL));
      else assert.ok(hasLogged(failure.logged), lines().join('\n'));
      assert.ok(lines().length <= 4, lines().join('\n'));
    });
}
