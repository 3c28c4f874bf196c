import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { marksIn, REACHED } from '../support/servers/marks.ts';
import { startNode } from '../support/servers/node.ts';
import type { WebServer } from '../support/servers/web-server.ts';
import { ordinaryRequests } from '../support/spelling/ordinary-requests.ts';
import { exchange } from '../support/spelling/raw-client.ts';
import { written } from '../support/spelling/raw-request.ts';
import { type SpellingSite, startSpellingSite } from '../support/spelling/spelling-site.ts';

const POLICIES = ['open', 'closed'] as const;
const AT_ONCE = 16;
const REQUESTS = ordinaryRequests();

const SUBJECTS = {
  ip: 'src',
  host: 'req.hdr(host)',
  path: 'path',
  method: 'method',
  'cookie.session': 'req.cook(session)',
  key: 'req.fhdr(x-api-key)',
  ua: 'req.fhdr(user-agent)',
};

describe('the list of ordinary requests', () => {
  it('has five hundred, each once', () => {
    const texts = new Set(REQUESTS.map((request) => request.protocol + written(request).toString('latin1')));
    assert.equal(texts.size, REQUESTS.length);
    assert.ok(REQUESTS.length >= 500, `only ${REQUESTS.length}`);
  });
});

describeOnEveryHaproxy('a guarded site on which nothing is listed', (build) => {
  let node: WebServer;
  let site: SpellingSite;
  before(async () => {
    node = await startNode();
    const messages = { 'check-request': { subjects: SUBJECTS } };
    const guards = Object.fromEntries(POLICIES.map((policy) => [policy, { policy, messages }]));
    site = await startSpellingSite({ haproxy: build, servers: [node], guards, listed: [] });
  });
  after(async () => {
    await site?.stop();
    await node?.close();
  });

  for (const policy of POLICIES)
    it(`refuses no ordinary request under ${policy}`, async () => {
      const refused: string[] = [];
      const waiting = [...REQUESTS];
      const one = async () => {
        for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
          const answer = await exchange(request, site.port(policy, node));
          if (marksIn(answer).has(REACHED)) continue;
          const sent = written({ ...request, protocol: 'http/1' })
            .toString('latin1')
            .slice(0, 300);
          refused.push(`${request.protocol} ${JSON.stringify(sent)}: ${JSON.stringify(answer.slice(0, 100))}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, one));
      assert.equal(refused.length, 0, `refused:\n${refused.join('\n')}`);
    });
});
