import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { FLOODS, type FloodKind, startFlood } from '../support/flood.ts';
import { startTableFunction } from '../support/table-function.ts';

const SECONDS = 60;
const CONNECTIONS = 24;
const VISITORS = 200;
/** Each newcomer comes once; they are spread over the flood. */
const NEWCOMER_EVERY_MS = (SECONDS * 1000) / VISITORS;
/** Far above what a busy machine takes: who passes was not asked about. */
const DEADLINE_MS = 400;

describe(`a flood of ${SECONDS} s, as fast as one client can`, () => {
  for (const kind of Object.keys(FLOODS) as FloodKind[])
    it(`of ${kind} lets no listed visitor pass, known or new`, { timeout: 2 * SECONDS * 1000 + 30_000 }, async (t) => {
      const site = await startFlooded(t);
      const known = Array.from({ length: VISITORS }, (_, of) => `10.66.0.${of + 1}`);
      const newcomers = Array.from({ length: VISITORS }, (_, of) => `10.67.0.${of + 1}`);
      for (const visitor of known) while ((await told(site, visitor)) !== '403 cache') await pause(5);
      const flood = await startFlood({ kind, port: site.port, connections: CONNECTIONS });
      t.after(() => flood.stop());
      const startedMs = performance.now();
      const outcomes = { known: new Map<string, number>(), newcomers: new Map<string, number>() };
      const count = (of: keyof typeof outcomes, outcome: string) =>
        outcomes[of].set(outcome, (outcomes[of].get(outcome) ?? 0) + 1);
      let came = 0;
      for (let turn = 0; came < VISITORS; turn++) {
        count('known', await told(site, known[turn % VISITORS] as string)); // in bounds
        const due = Math.min(VISITORS, (performance.now() - startedMs) / NEWCOMER_EVERY_MS);
        for (; came < due; came++) count('newcomers', await told(site, newcomers[came] as string)); // in bounds
      }
      const seconds = (performance.now() - startedMs) / 1000;
      const rate = flood.answered() / seconds;
      await flood.stop();
      t.diagnostic(
        `${kind}: ${rate.toFixed(0)} requests/s, known ${textOf(outcomes.known)}, new ${textOf(outcomes.newcomers)}`,
      );
      for (const [who, of] of Object.entries(outcomes))
        assert.deepEqual(
          [...of.keys()].filter((outcome) => !outcome.startsWith('403')),
          [],
          `${who}: ${textOf(of)}`,
        );
      assert.ok(rate > 200, `a flood, of ${rate} requests a second`);
    });
});

/** What a visitor gets: the status, and the decision's source and reason. */
async function told(site: Site, visitor: string): Promise<string> {
  const { status, headers } = await site.visit('127.0.0.1', { headers: { host: 'shop.example', 'x-client': visitor } });
  const parts = ['source', 'reason', 'error'].map((part) => headers[`x-haverdict-${part}`]);
  return [status, ...parts.filter((part) => part !== undefined)].join(' ');
}

function textOf(outcomes: ReadonlyMap<string, number>): string {
  return [...outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
}

/** A site that asks about everything that a client chooses, whose listed visitors are known by a header. */
async function startFlooded(t: TestContext): Promise<Site> {
  const table = await startTableFunction();
  t.after(() => table.close());
  for (const group of [66, 67])
    for (let of = 1; of <= VISITORS; of++) table.type({ subject: `ip:10.${group}.0.${of}`, action: 'deny' });
  const subjects = {
    ...{ ip: 'req.hdr_ip(x-client,-1)', path: 'path', host: 'req.hdr(host)', key: 'req.hdr(x-api-key)' },
    ...{ ua: 'req.fhdr(user-agent)', 'cookie.session': 'req.cook(session)' },
  };
  const config = { deadlineMs: DEADLINE_MS, policy: 'open', messages: { 'check-request': { subjects } } };
  const site = await startSite({ backendUrl: table.url, config });
  t.after(() => site.stop());
  return site;
}
