import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startSite } from '../../dev/guarded-site.ts';
import { ScriptedFunction } from '../support/scripted-function.ts';
import { runWrk } from '../support/wrk.ts';

const TIMES = 50;

describe('restarts under load, policy open', () => {
  for (const what of ['agent', 'haproxy'] as const) {
    it(`answers no request with a 5xx while the ${what} is restarted ${TIMES} times`, {
      timeout: 300_000,
    }, async (t) => {
      const scripted = new ScriptedFunction();
      await scripted.open();
      const site = await startSite({
        backendUrl: scripted.url,
        reloadable: true,
        config: { messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } } },
      });
      t.after(async () => {
        await site.stop();
        await scripted.close();
      });
      const statuses: Record<string, number> = {};
      let done = false;
      const load = (async () => {
        while (!done) {
          for (const [status, count] of Object.entries((await runWrk(site.port, { site: 1, group: 1 }, 2)).statuses)) {
            statuses[status] = (statuses[status] ?? 0) + count;
          }
        }
      })();
      for (let time = 0; time < TIMES; time++) {
        if (what === 'haproxy') await site.haproxy.reload();
        else {
          await site.agent.kill('SIGTERM');
          await site.startAgent();
          // Killed again only when HAProxy has found it.
          while ((await site.visit('127.0.0.1', { headers: { 'x-client': '10.1.1.1' } })).status !== 403);
        }
      }
      done = true;
      await load;
      t.diagnostic(`${TIMES} restarts of the ${what}: ${JSON.stringify(statuses)}`);
      assert.deepEqual(
        Object.keys(statuses).filter((status) => Number(status) >= 500),
        [],
      );
      assert.ok((statuses[403] ?? 0) > 0, 'nobody was ever denied');
    });
  }
});
