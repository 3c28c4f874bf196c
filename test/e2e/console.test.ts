import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../dev/free-port.ts';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { bound } from '../../dev/local-cloud/ends-with-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { deployStack, type LocalStack } from '../../dev/stack/local-stack.ts';
import { openPage, type Page } from '../support/chromium.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { startOrder } from '../support/haverdict.ts';
import { describeNewer } from '../support/scope.ts';
import { until } from '../support/until.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** `SCREENSHOTS=1` writes the images of the docs. */
const { SCREENSHOTS } = process.env;
const IMAGES = join(import.meta.dirname, '../../docs/images');

const LOOKS = {
  light: { width: 1280, height: 800, scheme: 'light', axe: true },
  dark: { width: 1280, height: 800, scheme: 'dark', axe: true },
  phone: { width: 390, height: 844, scheme: 'dark', axe: true },
  /** The width to which pages must reflow (WCAG 2.2, 1.4.10). */
  small: { width: 320, height: 900, scheme: 'light', axe: false },
} as const;

/** What is shown at each place, with what must be there. */
const VIEWS = {
  '#search': '#search-text',
  '#search/203.0.113.9': '#explained tbody tr',
  '#search/no%20subject': '[role=alert]:not(:empty)',
  '#lists': 'tbody tr',
  '#lists/feed': 'tbody tr',
  '#history': 'tbody button',
  '#import': '#file',
  '#denied': 'tbody tr',
};
const DOCS: Readonly<Record<string, string>> = {
  '#search/203.0.113.9-light': 'console-search-light',
  '#history-dark': 'console-history-dark',
  '#search/203.0.113.9-phone': 'console-search-phone',
};

const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>';

describeNewer('the console against the local cloud', () => {
  let cloud: LocalStack;
  let site: Site;
  let admin = '';
  let page: Page;
  let link: URL;
  const cleaning: (() => void | Promise<void>)[] = [];

  before(async () => {
    cloud = await deployStack();
    cleaning.push(() => cloud.close());
    admin = `127.0.0.1:${await freePort()}`;
    const config = {
      messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
      lists: ['manual', 'feed'],
      blocklist: { protected: ['198.51.100.0/24'] },
      cache: { allowTtlSeconds: 0, denyTtlSeconds: 0 },
      deadlineMs: 2000,
      backend: { auth: 'iam', region: cloud.region, timeoutMs: 2000 },
      admin: { listen: `tcp://${admin}` },
    };
    site = await startSite({ backendUrl: cloud.functionUrl.url, config, env: cloud.environmentOf('agent') });
    cleaning.push(() => site.stop());
    link = new URL(await started());
    page = await openPage({ after: (close) => void cleaning.push(close) }); // gone before the console, whose connections it holds
    await page.resize(1280, 800);
    await page.goTo(link.href);
    await page.until(`document.querySelector('#search-text') === document.activeElement`);
  });
  after(async () => {
    for (const close of cleaning.reverse()) await close();
  });

  const operator = () => ({ ...process.env, ...cloud.environmentOf('operator') });
  const haverdict = (...args: string[]) => startOrder({ args, env: operator(), input: '' }).ended;

  /** The console as a list keeper runs it; its link. It ends with the other end of its standard input. */
  async function started(): Promise<string> {
    const args = [PROGRAM, 'console', '-c', site.agent.file, '--agents', `${admin},127.0.0.1:1`];
    const child = bound(spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env: operator() }));
    const ended = once(child, 'exit');
    cleaning.push(async () => {
      child.stdin.end();
      assert.deepEqual(await ended, [0, null]);
    });
    for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('http:')) return line;
    throw new Error('the console printed no link');
  }

  const statusOf = async (client: string) =>
    (await site.visit('127.0.0.1', { headers: { 'x-client': client } })).status;
  const becomes = (client: string, status: number) =>
    until(
      async () => (await statusOf(client)) === status,
      () => `${client} does not get ${status}`,
    );
  const reads = (page: Page, selector: string, text: string) =>
    page.until(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].some((one) => one.innerText.includes(${JSON.stringify(text)}))`,
    );
  const see = (page: Page, place: string) =>
    page.evaluate(`location.hash = ''; location.hash = ${JSON.stringify(place)}`);

  it('searches, blocks and undoes by keyboard alone, as HAProxy shows', async () => {
    await becomes('203.0.113.7', 200);
    await page.type('203.0.113.7');
    await page.press('Enter');
    await reads(page, '#explained h2', 'passes: no entry applies');
    await page.tabTo('[name=reason]');
    await page.type(`abuse ${HOSTILE}`);
    await page.press('Enter'); // it could mean either of two opposites
    await page.tabTo('[name=note]');
    await page.type('T-4711');
    await page.tabTo('[value=block]');
    await page.press('Enter');
    await reads(page, '#said', 'blocked ip:203.0.113.7 in list manual until');
    await reads(page, '#said', 'takes effect for allowed clients within');
    await reads(page, '#explained h2', 'is blocked: gets status 403');
    await reads(page, '#explained p', `deny ip:203.0.113.7 in list manual, abuse ${HOSTILE} (T-4711), by `);
    await reads(page, '#explained td', HOSTILE);
    await becomes('203.0.113.7', 403);
    await page.tabTo('#said button');
    await page.press('Enter');
    await reads(page, 'dialog[open] pre', '- ip:203.0.113.7 deny');
    await page.tabTo('dialog .buttons button');
    await page.press('Enter');
    await reads(page, '#said', 'list manual: 0 restored, 1 removed, 0 left alone');
    await reads(page, '#explained h2', 'passes: no entry applies');
    await becomes('203.0.113.7', 200);
    await page.evaluate('document.activeElement.blur()');
    await page.press('/');
    await page.type('203.0.113.8'); // in the place of what was searched
    await page.press('Enter');
    await reads(page, '#explained h2', 'ip:203.0.113.8 passes: no entry applies');
    assert.equal(await page.evaluate(`document.querySelector('#said').innerText`), '');
    assert.deepEqual(page.complaints, []);
  });

  it('allows over a block, and removes', async () => {
    await haverdict('block', '203.0.112.0/24', '-c', site.agent.file);
    await becomes('203.0.112.9', 403);
    await see(page, '#search/203.0.112.9');
    await reads(page, '#explained h2', 'gets status 403');
    await page.evaluate(`document.querySelector('[value=allow]').click()`);
    await reads(page, '#explained h2', 'passes: an allow overrides every other entry');
    await reads(page, '#said', 'takes effect for denied clients within');
    await becomes('203.0.112.9', 200);
    await page.evaluate(`document.querySelector('[aria-label="Remove ip:203.0.112.9 from list manual"]').click()`);
    await reads(page, '#said', 'ip:203.0.112.9 still gets deny, where list manual is asked: entry ip:203.0.112.0/24');
    await becomes('203.0.112.9', 403);
  });

  it('leads from a network to what is listed in it', async () => {
    await haverdict('block', '203.0.111.7', '-c', site.agent.file);
    await see(page, '#search/203.0.111.0/24');
    await reads(page, '#explained p', 'Addresses in it may have entries of their own in manual feed');
    await page.evaluate(`document.querySelector('#explained p a').click()`);
    await reads(page, 'td', 'ip:203.0.111.7');
    assert.equal(await page.evaluate(`document.querySelectorAll('tbody tr').length`), 1);
  });

  it('offers to undo only what it did itself', async () => {
    await haverdict('block', '203.0.112.77', '-c', site.agent.file);
    await see(page, '#search/203.0.112.77');
    await page.until(`document.querySelector('[aria-label="Remove ip:203.0.112.77 from list manual"]')`);
    await haverdict('remove', '203.0.112.77'); // as somebody else
    await page.evaluate(`document.querySelector('[aria-label="Remove ip:203.0.112.77 from list manual"]').click()`);
    await reads(page, '#said', 'list manual has no entry for ip:203.0.112.77');
    assert.equal(await page.evaluate(`document.querySelector('#said button')`), null);
    await page.evaluate(`document.querySelector('[value=block]').click()`);
    await reads(page, '#said', 'blocked ip:203.0.112.77');
    await haverdict('block', '203.0.112.77', '--for', '1h', '-c', site.agent.file); // somebody else, since
    await page.evaluate(`document.querySelector('#said button').click()`);
    await reads(page, 'dialog[open] pre', '= ip:203.0.112.77 left alone: changed since');
    assert.equal(await page.evaluate(`document.querySelector('dialog .buttons').innerText`), 'Leave it');
    await page.evaluate(`document.querySelector('dialog [type=button]').click()`);
  });

  it('refuses in the words of the command line', async () => {
    await see(page, '#search/198.51.100.7');
    await page.until(`document.querySelector('[value=block]')`);
    await page.evaluate(`document.querySelector('[value=block]').click()`);
    await reads(page, '[role=alert]', 'would block 198.51.100.0/24: blocklist.protected');
    await page.evaluate(`document.querySelector('[name=list]').value = 'other'`);
    await page.evaluate(`document.querySelector('[value=allow]').click()`);
    await reads(page, '[role=alert]', 'list other is new');
    await reads(page, '.check.named:not([hidden])', '--new-list');
    assert.equal(await statusOf('198.51.100.7'), 200);
    assert.equal((await haverdict('lists', '--all')).stdout.includes('other'), false);
  });

  it('imports a file after a preview with every guard, and takes the whole back', async (t) => {
    const name = `feed<img src=x onerror=alert(3)>.txt`;
    const file = join(temporaryFolder(t), name);
    writeFileSync(file, '192.0.2.1\n192.0.2.0/28\n198.51.100.1\nno address\n');
    await see(page, '#import');
    await page.until(`document.querySelector('#file')`);
    await page.choose('#file', file);
    await page.evaluate(`document.querySelector('[name=list]').value = 'feed'`);
    const press = (button: string) => page.evaluate(`document.querySelector('[value=${button}]').click()`);
    await press('preview');
    await reads(page, '[role=alert]', '1 of 4 lines cannot be read');
    await reads(page, '#preview', `${name}:3: deny ip:198.51.100.1 would block 198.51.100.0/24`);
    assert.equal(await page.evaluate(`document.querySelector('[value=write]').disabled`), true);
    for (const option of ['skip-invalid', 'skip-protected']) {
      await reads(page, '.check.named', `--${option}`);
      await page.evaluate(`document.querySelector('[name=${option}]').click()`);
    }
    await press('preview');
    await reads(page, '#preview', 'would write 2 entries to list feed');
    assert.equal(await statusOf('192.0.2.1'), 200);
    await page.until(`document.activeElement.value === 'write'`);
    await page.press('Enter');
    await reads(page, '#said', 'wrote 2 entries to list feed');
    await reads(page, '#said', 'skipped 1 line as invalid and 1 line as protected');
    await becomes('192.0.2.1', 403);
    await see(page, '#history/list:feed');
    await reads(page, 'td', name);
    await page.evaluate(`document.querySelector('tbody button').click()`);
    await reads(page, 'dialog[open]', `imported 2 written, 1 invalid, 1 protected: list feed`);
    await reads(page, 'dialog[open] .sum', '2 removed');
    await page.evaluate(`document.querySelector('dialog .buttons button').click()`);
    await reads(page, '#said', 'list feed: 0 restored, 2 removed');
    await becomes('192.0.2.1', 200);
    await page.evaluate(`document.querySelector('#said button').click()`); // and that, too
    await reads(page, 'dialog[open] .sum', '2 restored');
    await page.evaluate(`document.querySelector('dialog [type=button]').click()`);
    assert.deepEqual(page.complaints, []);
  });

  it('is accessible in every view on every screen', async () => {
    await haverdict('block', '203.0.113.9', '--for', '7d', '--reason', 'login attempts', '-c', site.agent.file);
    await haverdict('block', '203.0.113.0/24', '--list', 'feed', '--reason', 'spam', '-c', site.agent.file);
    await becomes('203.0.113.9', 403);
    for (const [look, { width, height, scheme, axe }] of Object.entries(LOOKS)) {
      await page.resize(width, height);
      await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      for (const [place, there] of Object.entries(VIEWS)) {
        const at = `${place}-${look}`;
        await page.evaluate(`document.querySelector('main').replaceChildren()`);
        await see(page, place);
        await page.until(`document.querySelector(${JSON.stringify(there)})`);
        const isWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
        assert.equal(await page.evaluate(isWide), false, `${at} scrolls sideways`);
        if (axe) assert.deepEqual(await violations(page), [], at);
        const image = SCREENSHOTS === undefined ? undefined : DOCS[at];
        if (image === undefined) continue;
        mkdirSync(IMAGES, { recursive: true });
        writeFileSync(join(IMAGES, `${image}.webp`), await page.screenshot());
      }
    }
    assert.ok(page.requested.every((url) => url.startsWith('data:') || new URL(url).origin === link.origin));
    assert.deepEqual(page.complaints, []);
  });

  it('shows what each agent denied, and which one does not answer', async () => {
    await haverdict('block', '203.0.113.50', '--reason', HOSTILE, '-c', site.agent.file);
    await becomes('203.0.113.50', 403);
    await until(
      async () => {
        await see(page, '#denied'); // the agent's own answer is up to a second old
        await page.until(`document.querySelector('section')`);
        return page.evaluate<boolean>(`document.querySelector('main').innerText.includes('ip:203.0.113.50')`);
      },
      () => 'the page does not show what was denied',
    );
    await reads(page, 'section', 'agent 127.0.0.1:1: connection refused');
    await reads(page, 'table:nth-of-type(2) tbody', 'ip:203.0.113.50');
    assert.deepEqual(page.complaints, []);
  });

  it('obeys no other page of the same browser, whatever it sends', async (t) => {
    const order = JSON.stringify({ command: 'block', args: ['192.0.2.60'], options: {} });
    const evil = createServer((_request, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(
          `<form id=f method=post enctype=text/plain action="${link.origin}/run"><input name='${order}' value=""></form>`,
        ),
    ).listen(0, '127.0.0.1');
    await once(evil, 'listening');
    t.after(() => evil.close());
    t.after(() => evil.closeAllConnections());
    const { port } = evil.address() as AddressInfo; // a listening TCP server has one
    const attacks = [
      `fetch('${link.origin}/run', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '${order}\\n' }).then(() => 'sent', () => 'refused')`,
      `fetch('${link.origin}/run', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/octet-stream', 'x-console-key': 'x' }, body: '${order}\\n' }).catch(() => 'refused')`,
      `fetch('${link.origin}/about.json', { credentials: 'include' }).catch(() => 'refused')`,
      `new Promise((resolve) => { const frame = document.createElement('iframe'); frame.src = '${link.origin}/'; frame.onload = () => resolve(String(frame.contentDocument)); document.body.append(frame); })`,
    ];
    for (const host of ['127.0.0.1', 'localhost']) {
      const answers: string[] = [];
      await page.goTo(`http://${host}:${port}/`);
      for (const attack of attacks) answers.push(await page.evaluate<string>(attack));
      assert.deepEqual(answers, ['refused', 'refused', 'refused', 'null'], host);
      await page.evaluate(`document.querySelector('#f').submit()`);
      await until(
        async () => (await page.evaluate<string>('document.body.innerText').catch(() => '')).includes('only the page'),
        () => 'the form was not refused',
      );
    }
    assert.equal(await statusOf('192.0.2.60'), 200);
    await page.goTo(`${link.origin}/`); // the console's own page still works
    await page.until(`document.querySelector('#search-text')`);
    await see(page, '#search/192.0.2.60');
    await reads(page, '#explained h2', 'passes: no entry applies');
  });
});

/** What axe finds wrong by WCAG 2.2 AA and by good practice. */
async function violations(page: Page): Promise<unknown[]> {
  await page.evaluate(`${AXE}; undefined`);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html, failureSummary }) => html + ' ' + failureSummary)]))`);
}
