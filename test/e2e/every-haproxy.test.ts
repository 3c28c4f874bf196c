import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import type { Visit } from '../../dev/visit.ts';
import { hasNativeSpop } from '../../haproxy/versions.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { ScriptedFunction } from '../support/scripted-function.ts';

/** Long enough that only what a test does, never a busy machine, makes the policy answer. */
const DEADLINE_MS = 500;
const LISTED = '10.1.1.7';
const UNLISTED = '10.1.2.7';
const UNKNOWN = { open: 200, closed: 503 } as const;
type SitePolicy = keyof typeof UNKNOWN;
const POLICIES: readonly SitePolicy[] = ['open', 'closed'];

describeOnEveryHaproxy('a site', (build) => {
  let place: Place;
  before(async () => {
    place = await startPlace(build);
  });
  after(() => place?.stop());

  for (const policy of POLICIES) {
    it(`denies who is listed and nobody else under ${policy}`, async () => {
      assert.deepEqual(await told(place[policy], LISTED), [403, 'deny', 'backend']);
      assert.deepEqual(await told(place[policy], UNLISTED), [200, 'allow', 'backend']);
      assert.deepEqual(await told(place[policy], LISTED), [403, 'deny', 'cache']);
    });

    it(`goes on through reloads of HAProxy under ${policy}`, async () => {
      const site = place[policy];
      const statuses = await underLoad(site, async () => {
        for (let time = 0; time < 3; time++) await site.haproxy.reload();
      });
      // HAProxy 2.4 and 2.6 give up what they wait for when they reload; 3.0 and later do not.
      const drops = build.version.startsWith('2.');
      const gone = UNKNOWN[policy];
      assert.deepEqual(other(statuses[LISTED], drops ? [403, gone] : [403]), []);
      assert.deepEqual(other(statuses[UNLISTED], drops ? [200, gone] : [200]), []);
    });

    it(`answers ${UNKNOWN[policy]} under ${policy} while the agent is dead, and as before when it is back`, async () => {
      const site = place[policy];
      await site.agent.kill('SIGKILL');
      for (let time = 0; time < 3; time++) assert.equal((await ask(site, LISTED)).status, UNKNOWN[policy]);
      await site.startAgent();
      await becomes(site, LISTED, 403);
      assert.equal((await ask(site, UNLISTED)).status, 200);
    });

    it(`answers ${UNKNOWN[policy]} under ${policy} when the function fails`, async () => {
      place.scripted.behaviour = 'status500';
      try {
        assert.deepEqual(await told(place[policy], '10.2.1.7'), [
          UNKNOWN[policy],
          policy === 'open' ? 'allow' : 'deny',
          'policy',
        ]);
      } finally {
        place.scripted.behaviour = 'well';
      }
    });
  }

  if (hasNativeSpop(build.version))
    it('works with the wiring for 2.6 as well, so that HAProxy can be upgraded first', async (t) => {
      const site = await startSite(siteOptions({ ...build, version: '2.6' }, place.scripted, 'closed'));
      t.after(() => site.stop());
      assert.deepEqual(await told(site, LISTED), [403, 'deny', 'backend']);
      assert.deepEqual(await told(site, UNLISTED), [200, 'allow', 'backend']);
    });
});

type Place = Record<SitePolicy, Site> & { readonly scripted: ScriptedFunction; stop(): Promise<void> };

async function startPlace(build: HaproxyBuild): Promise<Place> {
  const scripted = new ScriptedFunction();
  await scripted.open();
  const sites = await Promise.allSettled(POLICIES.map((policy) => startSite(siteOptions(build, scripted, policy))));
  const started = sites.flatMap((site) => (site.status === 'fulfilled' ? [site.value] : []));
  const stop = async () => {
    await Promise.all(started.map((site) => site.stop()));
    await scripted.close();
  };
  const [open, closed] = started;
  if (open !== undefined && closed !== undefined) return { open, closed, scripted, stop };
  await stop();
  throw sites.find((site) => site.status === 'rejected')?.reason;
}

function siteOptions(haproxy: HaproxyBuild, scripted: ScriptedFunction, policy: SitePolicy) {
  return {
    haproxy,
    backendUrl: scripted.url,
    // One site on each kind of socket, so that both are always used.
    listen: policy === 'open' ? 'unix' : 'tcp',
    reloadable: true,
    config: {
      policy,
      deadlineMs: DEADLINE_MS,
      backend: { timeoutMs: DEADLINE_MS },
      messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
    },
  } as const;
}

function ask(site: Site, client: string): Promise<Visit> {
  return site.visit('127.0.0.1', { headers: { 'x-client': client } });
}

async function told(site: Site, client: string): Promise<[number, string | undefined, string | undefined]> {
  const { status, headers } = await ask(site, client);
  return [status, headers['x-haverdict-action'], headers['x-haverdict-source']];
}

/** Two visitors of each address at a time, until `meanwhile` is done. */
async function underLoad(site: Site, meanwhile: () => Promise<void>): Promise<Record<string, number[]>> {
  const statuses: Record<string, number[]> = { [LISTED]: [], [UNLISTED]: [] };
  let going = true;
  const visitors = [LISTED, LISTED, UNLISTED, UNLISTED].map(async (client) => {
    while (going) statuses[client]?.push((await ask(site, client)).status);
  });
  await meanwhile().finally(() => {
    going = false;
  });
  await Promise.all(visitors);
  return statuses;
}

function other(statuses: readonly number[] | undefined, expected: readonly number[]): number[] {
  assert.ok((statuses ?? []).length > 10, 'too few requests to mean anything');
  return (statuses ?? []).filter((status) => !expected.includes(status));
}

async function becomes(site: Site, client: string, status: number): Promise<void> {
  const limitMs = performance.now() + 5000;
  while ((await ask(site, client)).status !== status) {
    assert.ok(performance.now() < limitMs, `never ${status}:\n${site.haproxy.lines.slice(-5).join('\n')}`);
    await pause(20);
  }
}
