import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Site } from '../../dev/guarded-site.ts';
import type { Visit } from '../../dev/visit.ts';
import { askedVisit, decidedVisit } from '../support/asked-visit.ts';
import { MISBEHAVIOURS, type Misbehaviour } from '../support/function-double.ts';
import { hasIpv6, longRuns } from '../support/scope.ts';
import { until } from '../support/until.ts';
import { DEADLINE_MARGIN_MS, DEADLINE_MS, startWorld, TTL_SECONDS, type World } from '../support/world.ts';

interface Case {
  readonly name: string;
  readonly listed: readonly (Partial<StoredEntry> & { readonly subject: string })[];
  readonly from: string;
  readonly status: number;
  /** What the variables say beside the status. */
  readonly says?: Readonly<Record<string, string>>;
}

/** Of the agent, under load. */
const RESTARTS = longRuns(3, 1);

const yesterday = Math.floor(Date.now() / 1000) - 86_400;
const tomorrow = yesterday + 2 * 86_400;

/** IPv4 visitors reach HAProxy on a v6 socket (`v4v6`) throughout: their address arrives as ::ffff:a.b.c.d. */
const CASES: readonly Case[] = [
  { name: 'not listed', listed: [], from: '127.1.0.1', status: 200, says: { action: 'allow', source: 'backend' } },
  {
    name: 'listed address',
    listed: [{ subject: 'ip:127.1.0.2', reason: 'abuse' }],
    from: '127.1.0.2',
    status: 403,
    says: { action: 'deny', source: 'backend', reason: 'abuse' },
  },
  { name: 'listed network', listed: [{ subject: 'ip:127.1.1.0/24' }], from: '127.1.1.200', status: 403 },
  { name: 'outside the listed network', listed: [{ subject: 'ip:127.1.1.0/24' }], from: '127.1.2.1', status: 200 },
  {
    name: 'allowed address inside a listed network',
    listed: [{ subject: 'ip:127.1.3.0/24' }, { subject: 'ip:127.1.3.9', action: 'allow', reason: 'ours' }],
    from: '127.1.3.9',
    status: 200,
    says: { action: 'allow', reason: 'ours' },
  },
  {
    name: 'entry with a status of its own',
    listed: [{ subject: 'ip:127.1.0.5', status: 429 }],
    from: '127.1.0.5',
    status: 429,
  },
  {
    name: 'expired entry',
    listed: [{ subject: 'ip:127.1.0.6', expiresAt: yesterday }],
    from: '127.1.0.6',
    status: 200,
  },
  {
    name: 'entry that expires tomorrow',
    listed: [{ subject: 'ip:127.1.0.7', expiresAt: tomorrow }],
    from: '127.1.0.7',
    status: 403,
  },
];

describe('the main job through real HAProxy', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world?.stop());

  for (const row of CASES) {
    it(`answers ${row.status}: ${row.name}`, async () => {
      for (const entry of row.listed) await world.list(entry);
      const visit = await decidedVisit(world.open, row.from);
      assert.equal(visit.status, row.status, explained(visit, world.open));
      for (const [name, value] of Object.entries(row.says ?? {}))
        assert.equal(visit.headers[`x-haverdict-${name}`], value);
    });
  }

  if (hasIpv6)
    it('answers 403: listed IPv6 address', async () => {
      await world.list({ subject: 'ip:::1' });
      assert.equal((await decidedVisit(world.open, '::1')).status, 403);
      assert.equal((await decidedVisit(world.closed, '::1')).status, 403);
    });

  it('answers from the cache the second time, without another call', async () => {
    for (let visitor = 100; ; visitor++) {
      assert.ok(visitor < 120, 'two visits always take longer than a verdict lives');
      const startedMs = performance.now();
      await world.open.visit(`127.1.4.${visitor}`);
      const { calls } = world.double;
      const { headers } = await world.open.visit(`127.1.4.${visitor}`);
      if (performance.now() - startedMs >= TTL_SECONDS * 1000) continue; // a busy machine
      assert.equal(headers['x-haverdict-source'], 'cache');
      assert.equal(world.double.calls, calls);
      return;
    }
  });

  it('lets an address pass again within the deny lifetime once its entry is removed', async () => {
    await world.list({ subject: 'ip:127.1.4.2' });
    assert.equal((await decidedVisit(world.open, '127.1.4.2')).status, 403);
    await world.unlist('ip:127.1.4.2');
    const removedMs = performance.now();
    await passes(world.open, '127.1.4.2');
    const tookMs = performance.now() - removedMs;
    assert.ok(tookMs < TTL_SECONDS * 1000 + 500, `it took ${tookMs} ms`);
  });

  for (const [index, behaviour] of [...(Object.keys(MISBEHAVIOURS) as Misbehaviour[]), 'refuses' as const].entries()) {
    for (const policy of ['open', 'closed'] as const) {
      const expected = policy === 'open' ? 200 : 503;
      it(`answers ${expected} in time under ${policy} when the function ${behaviour}`, async () => {
        const site = world[policy];
        if (behaviour === 'refuses') await world.double.close();
        else world.double.behaviour = behaviour;
        try {
          const visits = await Promise.all(
            Array.from({ length: 10 }, (_, visitor) => askedVisit(site, `127.2.${index}.${visitor + 1}`)),
          );
          for (const visit of visits) {
            assert.equal(visit.status, expected, explained(visit, site));
            assert.equal(visit.headers['x-haverdict-source'], 'policy', explained(visit, site));
            assert.match(
              visit.headers['x-haverdict-reason'] ?? '',
              behaviour === 'tooSlow' ? /^(timeout|breaker_open)$/ : /^(backend_error|breaker_open)$/,
            );
            assertInTime(visit, site);
          }
        } finally {
          world.double.behaviour = 'well';
          if (behaviour === 'refuses') await world.double.open();
        }
      });
    }
  }

  it('answers 200 under open and 503 under closed while the agent is dead, and as before when it is back', async () => {
    await world.list({ subject: 'ip:127.1.5.1' });
    for (const [site, status] of [
      [world.open, 200],
      [world.closed, 503],
    ] as const) {
      await site.agent.kill('SIGKILL');
      const visit = await site.visit('127.1.5.1');
      assert.equal(visit.status, status, explained(visit, site));
      await site.startAgent();
      await becomes(site, '127.1.5.1', 403);
    }
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`answers every request as the policy says while the agent is restarted under load by ${signal}`, async () => {
      await world.list({ subject: 'ip:127.1.6.1' });
      for (const [site, unknown] of [
        [world.open, 200],
        [world.closed, 503],
      ] as const) {
        const statuses = await underLoad(site, ['127.1.6.1', '127.1.6.2'], async (answers) => {
          for (let restart = 0; restart < RESTARTS; restart++) {
            await site.agent.kill(signal);
            await site.startAgent();
            await becomes(site, '127.1.6.1', 403);
            await until(
              () => answers() > 50 * (restart + 1),
              () => `only ${answers()} requests`,
            );
          }
        });
        assert.deepEqual(unexpected(statuses['127.1.6.1'], [403, unknown]), [], 'listed visitor');
        assert.deepEqual(unexpected(statuses['127.1.6.2'], [200, unknown]), [], 'unlisted visitor');
      }
    });
  }
});

/** Four visitors at a time from each address, until `meanwhile` is done, which can ask how many requests each address made. */
async function underLoad(
  site: Site,
  from: readonly string[],
  meanwhile: (answers: () => number) => Promise<void>,
): Promise<Record<string, number[]>> {
  const statuses: Record<string, number[]> = Object.fromEntries(from.map((address) => [address, []]));
  let going = true;
  const visitors = from.flatMap((address) =>
    Array.from({ length: 4 }, async () => {
      while (going) statuses[address]?.push((await site.visit(address)).status);
    }),
  );
  const answers = () => Math.min(...from.map((address) => statuses[address]?.length ?? 0));
  await meanwhile(answers).finally(() => {
    going = false;
  });
  await Promise.all(visitors);
  return statuses;
}

function unexpected(statuses: readonly number[] | undefined, expected: readonly number[]): number[] {
  return (statuses ?? []).filter((status) => !expected.includes(status));
}

async function passes(site: Site, from: string): Promise<void> {
  await becomes(site, from, 200);
}

async function becomes(site: Site, from: string, status: number): Promise<void> {
  const limitMs = performance.now() + 30_000;
  for (;;) {
    const visit = await site.visit(from);
    if (visit.status === status) return;
    assert.ok(performance.now() < limitMs, `never ${status}: ${explained(visit, site)}`);
    await pause(20);
  }
}

function assertInTime(visit: Visit, site: Site): void {
  const processMs = Number(visit.headers['x-haverdict-process-ms']);
  assert.ok(
    processMs <= DEADLINE_MS + DEADLINE_MARGIN_MS,
    `HAProxy measured ${processMs} ms: ${explained(visit, site)}`,
  );
}

function explained({ status, headers }: Visit, site: Site): string {
  const said = Object.entries(headers).filter(([name]) => name.startsWith('x-haverdict'));
  return `${status} ${JSON.stringify(Object.fromEntries(said))}\n${site.agent.lines.slice(-5).join('\n')}\n${site.haproxy.lines.slice(-5).join('\n')}`;
}
