import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { AdminServer } from '../../../agent/admin/server.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { openPage, type Page } from '../../support/chromium.ts';
import { readMetrics } from '../../support/prometheus-text.ts';
import { describeNewer } from '../../support/scope.ts';
import { busyFor, sampleState } from './sample-state.ts';

const hits = async () => ({ sinceMs: 0, isComplete: true, entries: [] });

/** `SCREENSHOTS=1` writes the images of the docs. */
const IMAGES = process.env.SCREENSHOTS === undefined ? undefined : join(import.meta.dirname, '../../../docs/images');

const FIGURES = `Object.fromEntries([...document.querySelectorAll('#figures > div')].map((figure) =>
  [figure.querySelector('dt').textContent, figure.innerText]))`;
const dataOf = (row: string) => `Number(document.querySelector('${row} data').value)`;

interface World {
  readonly url: string;
  readonly page: Page;
  readonly server: AdminServer;
  /** Opens another one where that was. */
  again(): Promise<void>;
  /** Takes so many more denies of this subject into account. */
  deny(subject: string, times: number): void;
}

async function open(t: TestContext, traffic = (quiet: AgentState, _seconds: number) => quiet): Promise<World> {
  let state = sampleState();
  // Real time goes on, and the traffic with it.
  const take = async (): Promise<AgentState> => {
    state = { ...state, takenAtMs: Math.max(state.takenAtMs + 1, startedAt + Date.now()) };
    return traffic(state, (state.takenAtMs - sampleState().takenAtMs) / 1000);
  };
  const startedAt = state.takenAtMs - Date.now();
  const server = new AdminServer(
    { type: 'tcp', host: '127.0.0.1', port: 0 },
    { state: take, hits, clock: systemClock },
  );
  await server.open();
  t.after(() => server.close());
  const page = await openPage(t);
  const deny = (subject: string, times: number) => {
    const [newest] = state.recent;
    assert.ok(newest);
    const decisions = state.decisions.map((one) =>
      one.action === 'deny' && one.source === 'cache' ? { ...one, count: one.count + times } : one,
    );
    state = { ...state, decisions, recent: [{ ...newest, subject, atMs: state.takenAtMs }, ...state.recent] };
  };
  const url = server.address.replace('tcp:', 'http:');
  const again = async () => {
    const target = { type: 'tcp', host: '127.0.0.1', port: Number(new URL(url).port) } as const;
    const second = new AdminServer(target, { state: take, hits, clock: systemClock });
    await second.open();
    t.after(() => second.close());
  };
  return { url, page, server, again, deny };
}

describeNewer('the status page in a browser', () => {
  it('shows the numbers of /metrics', async (t) => {
    const { page, url } = await open(t);
    await page.goTo(url);
    const { series, value } = readMetrics(await (await fetch(`${url}/metrics`)).text());
    const sum = (wanted: (labels: Readonly<Record<string, string>>) => boolean) =>
      series
        .filter(({ name, labels }) => name === 'haverdict_decisions_total' && wanted(labels))
        .reduce((total, one) => total + one.value, 0);
    const figure = (index: number) => page.evaluate(dataOf(`#figures > div:nth-child(${index})`));
    assert.equal(
      await figure(1),
      sum(() => true),
    );
    assert.equal(
      await figure(2),
      sum(({ action = '' }) => ['deny', 'tarpit', 'drop'].includes(action)),
    );
    assert.equal(
      await figure(3),
      sum(({ source }) => source === 'policy'),
    );
    assert.equal(await page.evaluate(dataOf('#cache dl > div:nth-child(1)')), value('haverdict_cache_entries'));
    assert.equal(await page.evaluate(dataOf('#backend dl > div:nth-child(3)')), value('haverdict_backend_calls_total'));
    assert.equal(await page.evaluate(dataOf('#haproxy dl > div:nth-child(2)')), value('haverdict_spop_frames_total'));
  });

  it('shows another decision without being loaded again, and asks nobody else', async (t) => {
    const { page, url, deny } = await open(t);
    await page.goTo(url);
    await page.evaluate('window.isStillHere = true');
    deny('ip:198.51.100.77', 42);
    await page.until(`document.querySelector('#recent tbody tr').innerText.includes('ip:198.51.100.77')`);
    const { Denied = '' } = await page.evaluate<Record<string, string>>(FIGURES);
    assert.match(Denied, /422,787 total/);
    assert.match(Denied, /^Denied\s+[\d.]+ \/s/);
    assert.equal(await page.evaluate('window.isStillHere'), true);
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(
      page.requested.filter((asked) => !asked.startsWith('data:') && new URL(asked).origin !== url),
      [],
    );
  });

  it('does not move when numbers change', async (t) => {
    const { page, url, deny } = await open(t);
    await page.resize(1280, 800);
    await page.goTo(url);
    const places = `JSON.stringify([...document.querySelectorAll('section, #figures > div')].map((part) => [part.offsetLeft, part.offsetTop]))`;
    const before = await page.evaluate(places);
    deny('ip:203.0.113.7', 4_000_000);
    await page.until(`document.querySelector('#figures').innerText.includes('4,422,745 total')`);
    assert.equal(await page.evaluate(places), before);
  });

  it('runs nothing that came from traffic', async (t) => {
    const { page, url, deny } = await open(t);
    await page.goTo(url);
    deny('"><script>window.isBroken = true</script><img src=x onerror="window.isBroken = true">', 1);
    await page.until(`document.querySelector('#recent tbody').innerText.includes('<script>')`);
    await page.goTo(url);
    assert.equal(await page.evaluate('window.isBroken === undefined && document.images.length === 0'), true);
  });

  it('says that the agent is gone, and goes on when it is back', async (t) => {
    const { page, url, server, again } = await open(t);
    await page.goTo(url);
    await server.close();
    await page.until(`document.querySelector('#notice').textContent.includes('no answer from the agent since')`);
    assert.equal(await page.evaluate(`document.querySelectorAll('#recent tbody tr').length`), 12);
    await again();
    await page.until(`document.querySelector('#notice').textContent === ''`);
  });

  it('asks for nothing while nobody looks', async (t) => {
    const { page, url } = await open(t);
    await page.goTo(url);
    await page.evaluate(`window.waits = 0;
      window.setTimeout = new Proxy(window.setTimeout, { apply(...call) { window.waits++; return Reflect.apply(...call); } });
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      refresh();`);
    assert.equal(await page.evaluate('window.waits'), 0);
    await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'));`);
    assert.equal(await page.evaluate('window.waits'), 1);
  });

  it('can be read without JavaScript', async (t) => {
    const { page, url } = await open(t);
    await page.send('Emulation.setScriptExecutionDisabled', { value: true });
    await page.goTo(url);
    const { root } = (await page.send('DOM.getDocument', { depth: 0 })) as { root: { nodeId: number } }; // the protocol
    const { outerHTML } = await page.send('DOM.getOuterHTML', root);
    assert.match(String(outerHTML), /<dt>Decisions<\/dt><dd>524 /);
    assert.match(String(outerHTML), /Without JavaScript the page does not update itself/);
  });

  for (const scheme of ['light', 'dark'] as const) {
    it(`has enough contrast in ${scheme}`, async (t) => {
      const { page, url } = await open(t, busyFor);
      await page.resize(1220, 540);
      await look(page, scheme);
      await page.goTo(url);
      await page.until(`document.querySelector('#taken').textContent.includes('over the last')`);
      assert.deepEqual(await page.evaluate(TOO_FAINT), []);
      assert.equal(await page.evaluate(`getComputedStyle(document.body).backgroundColor`), GROUNDS[scheme]);
      if (IMAGES !== undefined) writeFileSync(join(IMAGES, `status-${scheme}.png`), await page.screenshot());
    });
  }

  for (const width of [320, 768]) {
    it(`fits ${width} pixels without scrolling sideways`, async (t) => {
      const { page, url, deny } = await open(t);
      await page.resize(width, 640);
      await look(page, 'light');
      deny(`path:/${'x'.repeat(500)}`, 1);
      await page.goTo(url);
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
        true,
      );
      assert.equal(await page.evaluate(`getComputedStyle(document.querySelector('#figures')).display`), 'grid');
    });
  }

  // A picture is no test.
  if (IMAGES !== undefined)
    it('has its picture taken on a phone', async (t) => {
      const { page, url } = await open(t);
      await page.resize(320, 900);
      await look(page, 'light');
      await page.goTo(url);
      writeFileSync(join(IMAGES, 'status-phone.png'), await page.screenshot());
    });
});

const GROUNDS = { light: 'rgb(251, 251, 250)', dark: 'rgb(19, 20, 22)' } as const;

function look(page: Page, scheme: 'light' | 'dark'): Promise<unknown> {
  return page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
}

/** Texts whose contrast is below 4.5, as WCAG 2.2 counts it (1.4.3). */
const TOO_FAINT = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (node) => {
    const { backgroundColor } = getComputedStyle(node);
    return backgroundColor === 'rgba(0, 0, 0, 0)' && node.parentElement ? groundOf(node.parentElement) : backgroundColor;
  };
  const faint = [];
  for (const node of document.body.querySelectorAll('*')) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(groundOf(node))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) faint.push(node.tagName + ' ' + node.textContent.slice(0, 40));
  }
  return faint;
})()`;
