import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { hasNewer, SCOPE } from '../support/scope.ts';
import { startApache } from '../support/servers/apache.ts';
import { marksIn, REACHED, UNASKED } from '../support/servers/marks.ts';
import { startNginx } from '../support/servers/nginx.ts';
import { startNode } from '../support/servers/node.ts';
import type { WebServer } from '../support/servers/web-server.ts';
import { LISTED, SPELLED_KINDS, type SpelledKind } from '../support/spelling/kinds.ts';
import { exchange } from '../support/spelling/raw-client.ts';
import { type RawRequest, written } from '../support/spelling/raw-request.ts';
import { type SpellingSite, startSpellingSite } from '../support/spelling/spelling-site.ts';
import { transported } from '../support/spelling/transport.ts';
import { Random } from '../support/spop/random.ts';

/** Of each kind, on each HAProxy, under each policy. */
const SPELLINGS = Number(process.env.SPELLINGS ?? { usual: 60, newer: 300, all: 10_000 }[SCOPE]);
/** Another number here tries others; a failure names that of its spelling. */
const SEED = Number(process.env.SEED ?? 20_261_130);
const POLICIES = ['open', 'closed'] as const;
const AT_ONCE = 16;
const MOST_TIMES = 50;
const MOST_SHOWN = 20;

describeOnEveryHaproxy('no spelling of what is listed is served', (build) => {
  let servers: readonly WebServer[];
  before(async () => {
    // Real servers are fetched with the newer HAProxys.
    servers = await Promise.all([startNode(), ...(hasNewer ? [startNginx(), startApache()] : [])]);
  });
  after(() => Promise.all((servers ?? []).map((server) => server.close())));

  let site: SpellingSite;
  before(async () => {
    const guards = SPELLED_KINDS.flatMap(({ name, message }) =>
      POLICIES.map((policy) => [`${name}-${policy}`, { policy, messages: { 'check-request': message } }]),
    );
    site = await startSpellingSite({ haproxy: build, servers, guards: Object.fromEntries(guards), listed: LISTED });
  });
  after(() => site?.stop());

  for (const policy of POLICIES)
    for (const kind of SPELLED_KINDS)
      it(`${kind.name} under ${policy}: ${SPELLINGS} spellings`, async () => {
        const { passes, reached } = await spelled(site, servers, kind, policy);
        assert.equal(
          passes.length,
          0,
          `${passes.length} of ${SPELLINGS} were served:\n${passes.slice(0, MOST_SHOWN).join('\n')}`,
        );
        assert.ok(reached > 0, 'not one reached a server, which proves nothing');
      });
});

/** Sends so many spellings to the first server, and what reaches that, to the others. */
async function spelled(site: SpellingSite, servers: readonly WebServer[], kind: SpelledKind, policy: string) {
  const passes: string[] = [];
  let reached = 0;
  let next = 0;
  const one = async () => {
    for (let index = next++; index < SPELLINGS; index = next++) {
      const seed = SEED + index;
      const random = new Random(seed);
      const request = transported(kind.spelling(random), random);
      for (const server of servers) {
        const marks = await asked(request, site.port(`${kind.name}-${policy}`, server), kind.from);
        if (!marks.has(REACHED)) break;
        reached++;
        if (kind.isForbidden(marks)) passes.push(described(request, seed, server, marks));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { passes, reached };
}

/** The marks of an answer about which the agent was asked. */
async function asked(request: RawRequest, port: number, from: string): Promise<ReadonlySet<string>> {
  for (let time = 0; time < MOST_TIMES; time++) {
    const marks = marksIn(await exchange(request, port, from));
    if (!marks.has(UNASKED)) return marks;
    await pause(200);
  }
  throw new Error('HAProxy does not reach the agent');
}

function described(request: RawRequest, seed: number, { name }: WebServer, marks: ReadonlySet<string>): string {
  const bytes = written({ ...request, protocol: 'http/1' }).toString('latin1');
  const text = JSON.stringify(bytes).replace(/(.{1,8}?)\1{20,}/g, (all, part) => `${part}…(${all.length})`);
  return `SEED=${seed}, ${request.protocol}, ${name} served ${[...marks].join('')}: ${text}`;
}
