import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { RecentDeny } from '../../agent/state/state.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const HEADER = 'x-haverdict-ref';
const LISTED = '127.3.0.1';

describeOnEveryHaproxy('the reference id of a denied request', (build) => {
  let place: TableSite;
  before(async () => {
    place = await startTableSite({
      haproxy: build,
      config: {
        policy: 'closed',
        deadlineMs: 1000,
        lists: ['manual'],
        haproxy: { version: build.version, actions: ['tarpit', 'drop', 'body'], denyStatuses: [451] },
        messages: {
          request: { subjects: { ip: 'src', 'header.x-key': 'req.hdr(x-key)' } },
          chosen: {
            event: 'on-backend-http-request',
            subjects: { 'header.x-key': 'req.hdr(x-later)' },
            policy: 'open',
          },
        },
      },
      lines: ['http-request deny if { hdr(x-own) -m found }'],
    });
    place.table.type({ subject: 'header.x-key:page', action: 'deny' });
    place.table.type({ subject: 'header.x-key:body', action: 'deny', status: 451, vars: { body: 'by order 7' } });
    place.table.type({ subject: 'header.x-key:tarpit', action: 'tarpit' });
    place.table.type({ subject: `ip:${LISTED}`, action: 'deny' });
    place.table.type({ subject: 'header.x-key:tag', action: 'tag' });
  });
  after(() => place?.stop());

  it('is in its answer, in the log of the agent and among its recent denies', async () => {
    const { agent } = place.site;
    const asked = [
      { 'x-key': 'page' },
      { 'x-key': 'page' },
      { 'x-key': 'body' },
      { 'x-key': 'tarpit' },
      { 'x-later': 'page' },
    ];
    const refs: string[] = [];
    for (const headers of asked) {
      const visit = await place.site.visit('127.0.0.1', { headers });
      refs.push(visit.headers[HEADER] ?? `none with ${visit.status}`);
    }
    refs.push((await place.site.visit(LISTED)).headers[HEADER] ?? 'none');
    for (const ref of refs) assert.match(ref, /^[0-9a-hjkmnp-tv-z]{12}$/);
    assert.equal(new Set(refs).size, refs.length);
    const log = () => agent.lines.join('\n');
    const logged = () => agent.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'denied');
    await until(() => logged().length >= refs.length, log);
    assert.deepEqual(
      logged().map(({ ref }) => ref),
      refs,
    );
    process.kill(agent.pid, 'SIGUSR1');
    const states = () => agent.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'state');
    await until(() => states().length > 0, log);
    const recent = states()[0].recent as readonly RecentDeny[];
    assert.deepEqual(recent.map(({ ref }) => ref).reverse(), refs);
  });

  it('is on no answer to what passes, and on none that the operator’s own rules deny', async () => {
    for (const headers of [{}, { 'x-key': 'tag' }, { 'x-own': '1' }])
      assert.equal((await place.site.visit('127.0.0.1', { headers })).headers[HEADER], undefined);
  });
});
