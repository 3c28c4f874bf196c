import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { askedVisit } from '../support/asked-visit.ts';
import { changeOf, MirrorBackend } from '../support/mirror-backend.ts';
import { ScriptedFunction } from '../support/scripted-function.ts';
import { until } from '../support/until.ts';

/** A site whose agent keeps a mirror, before a function that answers no lookup in time. */
describe('a site whose agent has all entries itself', () => {
  const lists = new MirrorBackend();
  const scripted = new ScriptedFunction(lists);
  let site: Site;
  before(async () => {
    lists.put(changeOf('ip:127.9.0.1'), changeOf('ip:127.9.1.0/24', { reason: 'scraper' }));
    lists.build('one');
    scripted.behaviour = 'hanging';
    await scripted.open();
    const config = { policy: 'open', deadlineMs: 40, workers: 2, updates: { mode: 'mirror', pollMs: 200 } };
    site = await startSite({ backendUrl: scripted.url, config });
  });
  after(async () => {
    await site?.stop();
    await scripted.close();
  });

  /** What each of some connections gets: HAProxy's go to one worker after the other. */
  const visits = async (from: string) => {
    const all = await Promise.all(Array.from({ length: 6 }, () => askedVisit(site, from)));
    return [...new Set(all.map(({ status, headers }) => `${status} ${headers['x-haverdict-source']}`))];
  };
  const untilAll = (from: string, expected: string) =>
    until(
      async () => (await visits(from)).join() === expected,
      () => site.agent.lines.slice(-5).join('\n'),
    );

  it('denies the very first request of a listed visitor, lets strangers in, and calls no function', async () => {
    await untilAll('127.8.0.1', '200 mirror');
    const before = scripted.calls;
    assert.deepEqual(await visits('127.9.0.1'), ['403 mirror']);
    assert.deepEqual(await visits('127.9.1.77'), ['403 mirror']);
    for (let stranger = 1; stranger <= 20; stranger++)
      assert.deepEqual(await visits(`127.8.1.${stranger}`), ['200 mirror']);
    assert.equal(scripted.calls, before);
  });

  it('does what a change says, in every worker', async () => {
    lists.put(changeOf('ip:127.9.0.1', null), changeOf('ip:127.8.0.1'));
    await untilAll('127.8.0.1', '403 mirror');
    assert.deepEqual(await visits('127.9.0.1'), ['200 mirror']);
  });
});
