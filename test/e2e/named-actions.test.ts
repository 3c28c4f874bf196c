import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Action, OPT_IN } from '../../contract/actions.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { startTableSite, TARPIT_MS } from '../support/table-site.ts';

const ENDING = ['tarpit', 'drop', 'redirect'] as const satisfies readonly Action[];
type Names = readonly (typeof OPT_IN)[number][];

/** What a client meets where its action is named, and where it is not. */
const ENTRIES: readonly { readonly subject: string; readonly action: Action; readonly named: string }[] = [
  { subject: 'ip:127.7.0.1', action: 'deny', named: '403' },
  { subject: 'ip:127.7.0.2', action: 'tarpit', named: '403' },
  { subject: 'ip:127.7.0.3', action: 'drop', named: 'nothing' },
  { subject: 'ip:127.7.0.4', action: 'redirect', named: '302' },
  { subject: 'ip:127.7.0.5', action: 'route', named: '200' },
  { subject: 'ip:127.7.0.6', action: 'tag', named: '200' },
  { subject: 'ip:127.7.0.7', action: 'log', named: '200' },
  { subject: 'ip:127.7.0.8', action: 'allow', named: '200' },
];
const VARS: Partial<Record<Action, Record<string, string>>> = {
  redirect: { location: '/elsewhere' },
  route: { backend: 'blue', path: '/routed' },
  tag: { path: '/tagged', query: 'x', 'req.set.x-plan': 'gold' },
};

describeOnEveryHaproxy('what ends a request', (build) => {
  for (let names = 0; names < 2 ** ENDING.length; names++) {
    const actions = ENDING.filter((_action, bit) => names & (1 << bit));
    it(`ends it with haproxy.actions: [${actions}], as the entry says or as a deny`, () =>
      meets(build, actions, actions));
  }

  it('ends it where HAProxy has rules for nothing, and the agent names all', () => meets(build, OPT_IN, []));

  it('ends it where HAProxy has rules for all, and the agent names nothing', () => meets(build, [], OPT_IN));
});

/** Each client in turn, with the agent and the wiring of these. */
async function meets(haproxy: HaproxyBuild, agent: Names, wiring: Names): Promise<void> {
  const config = { deadlineMs: 2000, haproxy: { version: haproxy.version, actions: agent } };
  const { site, table, stop } = await startTableSite({ haproxy, config, wiring: { actions: wiring } });
  try {
    for (const { subject, action } of ENTRIES)
      table.type({ subject, action, ...(VARS[action] && { vars: VARS[action] }) });
    await Promise.all(
      ENTRIES.map(async ({ subject, action, named }) => {
        const isObeyed = !OPT_IN.includes(action) || (agent.includes(action) && wiring.includes(action));
        const expected = isObeyed ? named : '403';
        const from = subject.slice('ip:'.length);
        const { received, tookMs } = await knock({
          port: site.port,
          from,
          limitMs: expected === 'nothing' ? 500 : 10_000,
        });
        assert.equal(/^HTTP\/1\.1 (\d+) /.exec(received)?.[1] ?? 'nothing', expected, action);
        if (isObeyed && action === 'tarpit') assert.ok(tookMs >= TARPIT_MS - 20, `${tookMs} ms`);
      }),
    );
  } finally {
    await stop();
  }
}
