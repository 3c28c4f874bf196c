import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, it } from 'node:test';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { bound } from '../../dev/local-cloud/ends-with-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { deployStack, type LocalStack } from '../../dev/stack/local-stack.ts';
import { openPage, type Page } from '../support/chromium.ts';
import { describeNewer } from '../support/scope.ts';
import { until } from '../support/until.ts';

const CONFIG = {
  messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
  lists: ['manual', 'feed'],
  blocklist: { protected: ['198.51.100.0/24'] },
  cache: { allowTtlSeconds: 0, denyTtlSeconds: 0 },
  deadlineMs: 2000,
};

describeNewer('the console against the local cloud', () => {
  let cloud: LocalStack;
  let site: Site;
  let link = '';
  const cleaning: (() => Promise<void>)[] = [];

  before(async () => {
    cloud = await deployStack();
    cleaning.push(() => cloud.close());
    const backend = { auth: 'iam', region: cloud.region, timeoutMs: 2000 };
    const config = { ...CONFIG, backend };
    site = await startSite({ backendUrl: cloud.functionUrl.url, config, env: cloud.environmentOf('agent') });
    cleaning.push(() => site.stop());
  });
  after(async () => {
    for (const close of cleaning.reverse()) await close();
  });

  /** The console as a list keeper runs it, with the rights of an operator, and a browser at its link. */
  async function opened(t: { after(clean: () => void | Promise<void>): void }): Promise<Page> {
    const child = bound(
      spawn(process.execPath, [PROGRAM, 'console', '-c', site.agent.file], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, ...cloud.environmentOf('operator') },
      }),
    );
    t.after(async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    });
    for await (const line of createInterface({ input: child.stdout })) {
      link = line;
      if (line.startsWith('http:')) break;
    }
    const page = await openPage(t);
    await page.resize(1280, 900);
    await page.goTo(link);
    await page.until(`document.querySelector('#search-text') === document.activeElement`);
    return page;
  }

  const statusOf = async (client: string) =>
    (await site.visit('127.0.0.1', { headers: { 'x-client': client } })).status;
  const becomes = (client: string, status: number) =>
    until(
      async () => (await statusOf(client)) === status,
      () => `${client} does not get ${status}`,
    );

  it('searches, blocks, undoes and explains by keyboard alone', async (t) => {
    const page = await opened(t);
    await becomes('203.0.113.7', 200);
    await page.type('203.0.113.7');
    await page.press('Enter');
    await page.until(`document.querySelector('#explained h2')?.innerText.includes('passes: no entry applies')`);
    await page.tabTo('[name=reason]');
    await page.type('abuse <b>& more</b>');
    await page.tabTo('[value=block]');
    await page.press('Enter');
    await page.until(`document.querySelector('#said').innerText.includes('blocked ip:203.0.113.7 in list manual')`);
    await page.until(`document.querySelector('#explained h2')?.innerText.includes('gets status 403')`);
    assert.match(await page.evaluate(`document.querySelector('#explained table').innerText`), /abuse <b>& more<\/b>/);
    await becomes('203.0.113.7', 403);
    await page.tabTo('#said button');
    await page.press('Enter');
    await page.until(`document.querySelector('dialog[open] pre')?.innerText.includes('- ip:203.0.113.7 deny')`);
    await page.tabTo('dialog .buttons button');
    await page.press('Enter');
    await page.until(`document.querySelector('#explained h2')?.innerText.includes('passes: no entry applies')`);
    await becomes('203.0.113.7', 200);
    assert.deepEqual(page.complaints, []);
  });

  it('refuses what is protected in the words of the command line', async (t) => {
    const page = await opened(t);
    await page.evaluate(`location.hash = '#search/198.51.100.7'`);
    await page.until(`document.querySelector('[value=block]')`);
    await page.evaluate(`document.querySelector('[value=block]').click()`);
    await page.until(
      `/would block 198.51.100.0.24: blocklist.protected/.test(document.querySelector('main').innerText)`,
    );
    assert.equal(await statusOf('198.51.100.7'), 200);
  });
});
