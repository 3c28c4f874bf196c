import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { changeOf, MirrorBackend } from '../support/mirror-backend.ts';
import { BEHAVIOURS, type Behaviour, ScriptedFunction } from '../support/scripted-function.ts';
import { runWrk, VISITORS, type WrkResult } from '../support/wrk.ts';

const DEADLINE_MS = 100;
const MARGIN_MS = 20;
const SECONDS = 1;
const CALLS_A_SECOND = 200;
const LISTED = 1;
const UNLISTED = 2;

type Trouble = Exclude<Behaviour, 'well'> | 'down' | 'recovers';
const TROUBLES: readonly Trouble[] = [
  'down',
  ...(Object.keys(BEHAVIOURS) as Behaviour[]).filter((behaviour) => behaviour !== 'well'),
  'recovers',
];
const MIRROR = { updates: { mode: 'mirror', pollMs: 200 } } as const;
/**
 * How long verdicts live in each state of the cache: over before the trouble begins, long, or over but kept. With a mirror the
 * cache is cold: the mirror is live, too old for that, or differs from what the backend has.
 */
const CACHES = {
  cold: { cache: { allowTtlSeconds: 3600, denyTtlSeconds: 3600, policyTtlSeconds: 1 } },
  warm: { cache: { allowTtlSeconds: 3600, denyTtlSeconds: 3600, policyTtlSeconds: 1 } },
  stale: {
    cache: { allowTtlSeconds: 1, denyTtlSeconds: 1, policyTtlSeconds: 1 },
    stale: { ifErrorSeconds: 3600, revalidateSeconds: 0 },
  },
  'mirror live': { ...MIRROR, cache: { allowTtlSeconds: 3600, denyTtlSeconds: 3600, policyTtlSeconds: 1 } },
  'mirror behind': {
    ...{ ...MIRROR, cache: { allowTtlSeconds: 1, denyTtlSeconds: 1, policyTtlSeconds: 1 } },
    stale: { ifErrorSeconds: 3600, revalidateSeconds: 0 },
  },
  'mirror mismatch': { ...MIRROR, cache: { allowTtlSeconds: 3600, denyTtlSeconds: 3600, policyTtlSeconds: 1 } },
} as const;
type CacheState = keyof typeof CACHES;

describe('the failure matrix, through real HAProxy under load', () => {
  for (const policy of ['open', 'closed'] as const) {
    for (const cacheState of Object.keys(CACHES) as CacheState[]) {
      it(`explains every answer under ${policy} with a ${cacheState} cache`, { timeout: 300_000 }, async (t) => {
        const lists = mirrorFor(cacheState);
        const scripted = new ScriptedFunction(lists);
        await scripted.open();
        const site = await startSite({ backendUrl: scripted.url, config: configOf(policy, cacheState) });
        t.after(async () => {
          await site.stop();
          await scripted.close();
        });
        if (lists !== undefined) await untilLoaded(site, cacheState);
        for (const [index, trouble] of TROUBLES.entries())
          await playCell(t, { policy, cacheState, trouble, visitors: index + 1 }, site, scripted);
      });
    }
  }
});

interface Cell {
  readonly policy: 'open' | 'closed';
  readonly cacheState: CacheState;
  readonly trouble: Trouble;
  readonly visitors: number;
}

async function playCell(
  t: { diagnostic(text: string): void },
  cell: Cell,
  site: Site,
  scripted: ScriptedFunction,
): Promise<void> {
  await becomesWell(site, scripted, cell.cacheState === 'mirror live' ? 'mirror' : 'backend');
  if (cell.cacheState === 'warm' || cell.cacheState === 'stale') await warm(cell, site);
  if (cell.cacheState === 'stale') await pause(1_200);
  const callsBefore = scripted.calls;
  const over = await begin(cell.trouble, scripted);
  const [listed, unlisted] = await Promise.all(
    [LISTED, UNLISTED].map((group) => runWrk(site.port, { site: cell.visitors, group }, SECONDS)),
  );
  await over();
  const calls = scripted.calls - callsBefore;
  t.diagnostic(rowOf(cell, listed as WrkResult, unlisted as WrkResult, calls)); // two were run
  for (const [result, verdict] of [
    [listed, 403],
    [unlisted, 200],
  ] as const) {
    const { statuses, worstProcessMs } = result as WrkResult;
    const expected = expectedOf(cell, verdict);
    assert.deepEqual(
      Object.keys(statuses).filter((status) => !expected.includes(Number(status))),
      [],
      `${JSON.stringify(cell)}: ${JSON.stringify(result)}`,
    );
    assert.ok(Object.keys(statuses).length > 0, 'nobody was answered');
    assert.ok(worstProcessMs <= DEADLINE_MS + MARGIN_MS, `${JSON.stringify(cell)}: ${worstProcessMs} ms`);
  }
  if (cell.cacheState === 'mirror live') assert.equal(calls, 0, 'a live mirror needs no call');
  // The burst at the beginning is a tenth of a second's calls.
  assert.ok(calls <= CALLS_A_SECOND * (SECONDS + 1.2), `${JSON.stringify(cell)}: ${calls} calls`);
}

/** What a visitor may get: what is known of it wherever something can be known, else what the policy says. */
function expectedOf({ policy, cacheState, trouble }: Cell, verdict: number): number[] {
  const byPolicy = policy === 'open' ? 200 : 503;
  const isKnown = cacheState === 'mirror mismatch' ? verdict === 403 : cacheState !== 'cold';
  if (isKnown || trouble === 'slowBelowDeadline') return [verdict];
  // Half an answer fails as a whole; a slow one still fills the cache.
  return trouble === 'slowAboveDeadline' || trouble === 'recovers' ? [verdict, byPolicy] : [byPolicy];
}

/** Every visitor comes until the function has been asked about it. */
async function warm({ visitors }: Cell, site: Site): Promise<void> {
  for (const group of [LISTED, UNLISTED]) {
    for (let visitor = 1; visitor <= VISITORS; visitor++) {
      const headers = { 'x-client': `10.${visitors}.${group}.${visitor}` };
      while (
        !/^(backend|cache)$/.test((await site.visit('127.0.0.1', { headers })).headers['x-haverdict-source'] ?? '')
      );
    }
  }
}

async function begin(trouble: Trouble, scripted: ScriptedFunction): Promise<() => Promise<void>> {
  if (trouble === 'down') {
    await scripted.close();
    return () => scripted.open();
  }
  scripted.behaviour = trouble === 'recovers' ? 'status500' : trouble;
  const recovery = trouble === 'recovers' ? setTimeout(() => (scripted.behaviour = 'well'), 500) : undefined;
  return async () => {
    clearTimeout(recovery);
    scripted.behaviour = 'well';
  };
}

/** Until the breaker of the last cell has closed again. */
async function becomesWell(site: Site, scripted: ScriptedFunction, source: 'backend' | 'mirror'): Promise<void> {
  scripted.behaviour = 'well';
  for (let stranger = 1; ; stranger++) {
    const visit = await site.visit('127.0.0.1', {
      headers: { 'x-client': `10.200.${3 + (stranger >> 8)}.${stranger & 255}` },
    });
    if (visit.headers['x-haverdict-source'] === source) return;
    assert.ok(stranger < 2_000, `the agent gets no answer of its backend: ${site.agent.lines.slice(-3).join('\n')}`);
    await pause(20);
  }
}

/** The lists that the function has, as they are in the log of changes and the mirror. */
function mirrorFor(cacheState: CacheState): MirrorBackend | undefined {
  if (!cacheState.startsWith('mirror')) return undefined;
  const lists = new MirrorBackend();
  lists.put(...TROUBLES.map((_, index) => changeOf(`ip:10.${index + 1}.${LISTED}.0/24`)));
  lists.build('one');
  if (cacheState === 'mirror behind') lists.provenAgeMs = 5000;
  if (cacheState === 'mirror mismatch') lists.miscounts = true;
  return lists;
}

async function untilLoaded(site: Site, cacheState: CacheState): Promise<void> {
  const wanted = cacheState === 'mirror mismatch' ? 'mirror differs from the lists' : 'mirror loaded';
  const hasSaid = () => site.agent.lines.some((line) => line.includes(wanted));
  for (let tries = 0; !hasSaid(); tries++) {
    assert.ok(tries < 500, site.agent.lines.join('\n'));
    await pause(20);
  }
}

function configOf(policy: string, cacheState: CacheState): Record<string, unknown> {
  return {
    policy,
    deadlineMs: DEADLINE_MS,
    backend: { maxCallsPerSecond: CALLS_A_SECOND, timeoutMs: 1_000 },
    messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
    ...CACHES[cacheState],
  };
}

function rowOf({ policy, cacheState, trouble }: Cell, listed: WrkResult, unlisted: WrkResult, calls: number): string {
  const worst = Math.max(listed.worstProcessMs, unlisted.worstProcessMs);
  const sources = JSON.stringify(unlisted.sources).replaceAll('"', '');
  return `| ${trouble} | ${policy} | ${cacheState} | ${shown(listed)} | ${shown(unlisted)} | ${sources} | ${worst} | ${calls} |`;
}

function shown({ statuses }: WrkResult): string {
  return Object.entries(statuses)
    .map(([status, count]) => `${status} × ${count}`)
    .join(', ');
}
