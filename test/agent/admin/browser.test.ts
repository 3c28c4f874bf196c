import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { AdminServer } from '../../../agent/admin/server.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { openPage, type Page } from '../../support/chromium.ts';
import { readMetrics } from '../../support/prometheus-text.ts';
import { describeNewer } from '../../support/scope.ts';
import { sampleState } from './sample-state.ts';

const hits = async () => ({ sinceMs: 0, isComplete: true, entries: [] });

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
  change(changes: Partial<AgentState>): void;
}

async function open(t: TestContext): Promise<World> {
  let state = sampleState();
  // Real time goes on, and the traffic with it.
  const take = async (): Promise<AgentState> => {
    state = { ...state, takenAtMs: Math.max(state.takenAtMs + 1, startedAt + Date.now()) };
    return state;
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
  const change = (changes: Partial<AgentState>) => {
    state = { ...state, ...changes };
  };
  const again = async () => {
    const target = { type: 'tcp', host: '127.0.0.1', port: Number(new URL(url).port) } as const;
    const second = new AdminServer(target, { state: take, hits, clock: systemClock });
    await second.open();
    t.after(() => second.close());
  };
  return { url, page, server, again, deny, change };
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
    const shown = (row: string) =>
      page.evaluate(`[...document.querySelectorAll('#decisions tbody tr')].filter((row) => ${row})
        .reduce((sum, row) => sum + Number(row.querySelector('data').value), 0)`);
    assert.equal(
      await shown('true'),
      sum(() => true),
    );
    assert.equal(
      await shown('/deny|tarpit|drop/.test(row.cells[1].innerText)'),
      sum(({ action = '' }) => ['deny', 'tarpit', 'drop'].includes(action)),
    );
    assert.equal(
      await shown(`row.cells[2].innerText === 'policy'`),
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
    assert.match(Denied, /^Denied\s+[\d.]+ \/s/);
    assert.match(await page.evaluate(`document.querySelector('#decisions').innerText`), /412,262/);
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
    await page.until(`document.querySelector('#decisions').innerText.includes('4,412,220')`);
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
    await page.until(`/^updated [1-9]\\d* s ago/.test(document.querySelector('#clock').textContent)`);
    assert.equal(await page.evaluate(`document.querySelectorAll('#recent tbody tr').length`), 12);
    await again();
    await page.until(`document.querySelector('#notice').textContent === ''`);
    await page.until(`/^updated 0 s ago/.test(document.querySelector('#clock').textContent)`);
    await page.send('Emulation.setTimezoneOverride', { timezoneId: 'Asia/Kolkata' });
    await page.until(`/ago, \\d\\d:\\d\\d:\\d\\d local time$/.test(document.querySelector('#clock').textContent)`);
  });

  it('holds the recent denies still while they are paused, pointed at or selected, and nothing else', async (t) => {
    const { page, url, deny } = await open(t);
    await page.resize(1280, 800);
    await page.goTo(url);
    const press = `document.querySelector('#pause').click()`;
    const ways: Readonly<
      Record<string, { hold: () => Promise<unknown>; release: () => Promise<unknown>; says: string }>
    > = {
      paused: { hold: () => page.evaluate(press), release: () => page.evaluate(press), says: 'paused at' },
      'pointed at': { hold: () => point(page, '#recent-rows'), release: () => point(page, 'h1'), says: 'held at' },
      selected: {
        hold: () => page.evaluate(`getSelection().selectAllChildren(document.querySelector('#recent td'))`),
        release: () => page.evaluate('getSelection().removeAllRanges()'),
        says: 'held at',
      },
    };
    let denied = 0;
    for (const [way, { hold, release, says }] of Object.entries(ways)) {
      await hold();
      const before = await page.evaluate(`document.querySelector('#recent-rows').innerText`);
      deny(`ip:198.51.100.${++denied}`, 1000);
      await page.until(
        `document.querySelector('#decisions').innerText.includes('${(412_220 + denied * 1000).toLocaleString('en')}')`,
      );
      assert.equal(await page.evaluate(`document.querySelector('#recent-rows').innerText`), before, way);
      assert.match(await page.evaluate(`document.querySelector('#held').textContent`), new RegExp(`^${says} `), way);
      await release();
      await page.until(`document.querySelector('#recent-rows').innerText.includes('ip:198.51.100.${denied}')`);
      await page.until(`document.querySelector('#held').textContent === ''`);
    }
  });

  it('puts first what a problem is about, and back, without being loaded again', async (t) => {
    const { page, url, change } = await open(t);
    await page.goTo(url);
    const first = `document.querySelector('#panels > :first-child').id`;
    assert.equal(await page.evaluate(first), 'top');
    const { backend } = sampleState();
    change({ backend: { ...backend, breaker: 'open' } });
    await page.until(`${first} === 'backend' && document.title.startsWith('▲ haproxy-1: degraded')`);
    change({ backend });
    await page.until(`${first} === 'top' && document.title.startsWith('● haproxy-1: ready')`);
    assert.equal(await page.evaluate(`document.querySelectorAll('#panels > *').length`), 9);
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

  for (const width of [320, 768]) {
    it(`fits ${width} pixels without scrolling sideways`, async (t) => {
      const { page, url, deny } = await open(t);
      await page.resize(width, 640);
      deny(`path:/${'x'.repeat(500)}`, 1);
      await page.goTo(url);
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
        true,
      );
      assert.equal(await page.evaluate(`getComputedStyle(document.querySelector('#figures')).display`), 'grid');
    });
  }
});

/** Moves the mouse to the middle of an element. */
async function point(page: Page, selector: string): Promise<unknown> {
  const { x, y } = await page.evaluate<{ x: number; y: number }>(`(() => {
    const { left, top, width, height } = document.querySelector('${selector}').getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  })()`);
  return page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
}
