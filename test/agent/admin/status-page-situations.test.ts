import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SITUATIONS } from '../../support/agent-situations.ts';
import { openPage, type Page } from '../../support/chromium.ts';
import { describeNewer } from '../../support/scope.ts';

const ROOT = join(import.meta.dirname, '../../..');
const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** `SCREENSHOTS=1` writes the images of the docs, `SCREENSHOTS=all` every picture, from a minute of traffic each. */
const { SCREENSHOTS } = process.env;
const FOLDER = join(ROOT, SCREENSHOTS === 'all' ? '.cache/screenshots' : 'docs/images');

const LOOKS = {
  light: { width: 1440, height: 900, scheme: 'light', ground: 'rgb(251, 251, 250)' },
  dark: { width: 1440, height: 900, scheme: 'dark', ground: 'rgb(19, 20, 22)' },
  narrow: { width: 900, height: 700, scheme: 'light', ground: 'rgb(251, 251, 250)' },
  phone: { width: 390, height: 844, scheme: 'dark', ground: 'rgb(19, 20, 22)' },
  /** The width to which pages must reflow (WCAG 2.2, 1.4.10). */
  small: { width: 320, height: 900, scheme: 'light', ground: 'rgb(251, 251, 250)' },
} as const;

/** What must be seen without scrolling: what is wrong, since when, what to do; and the first panel. */
const EXPECTED: Readonly<Record<keyof typeof SITUATIONS, { says: readonly RegExp[]; first: string }>> = {
  healthy: { says: [/● ready$/m], first: 'top' },
  'under attack': {
    says: [
      /● ready\n/,
      /\d\d\.\d % of the requests are denied(, usually \d+\.\d %)?(: it looks like an attack, which is kept out)? (since \d\d:\d\d:\d\d UTC|for more than a minute)\n/,
      /Most denied: ip:127\.66\.\d+\.0\/24 of list manual, [\d,]+ times in 5 minutes\./,
      /To do: if visitors of yours are in “Most denied”, put the list in shadow mode.*HaverdictDenyShareJump/s,
    ],
    first: 'top',
  },
  degraded: {
    says: [
      /▲ degraded since \d\d:\d\d:\d\d UTC/,
      /Listed clients may pass, because those not in the cache are let through by policy\n/,
      /Cause: calls to the backend .*circuit breaker .*% of the lookups of the last 10 s were decided by policy/,
      /Last error at \d\d:\d\d:\d\d UTC: .*(refused|closed)/i,
      /To do: check that the function runs.*HaverdictBreakerOpen/s,
    ],
    first: 'backend',
  },
  behind: {
    says: [
      /▲ degraded since/,
      /New blocks take effect after up to 60 s\n/,
      /Cause: changes to the lists cannot be fetched; none since the start\n/,
      /Last error at \d\d:\d\d:\d\d UTC: .*503/,
      /To do: check the function, then read the agent's log journalctl -u haverdict -n 50.*HaverdictUpdatesBehind/s,
    ],
    first: 'updates',
  },
  empty: {
    says: [
      /◌ ready, but no request yet/,
      /No request has been checked yet/,
      /HAProxy is connected/,
      /^haverdict doctor --haproxy \/etc\/haproxy\/haproxy\.cfg --live$/m,
    ],
    first: 'haproxy',
  },
};
/** Those in the docs. */
const DOCS = ['healthy-light', 'degraded-dark', 'degraded-phone', 'under attack-narrow'];

describeNewer('the status page of a real agent', () => {
  for (const [name, enter] of Object.entries(SITUATIONS)) {
    const { says, first } = EXPECTED[name as keyof typeof SITUATIONS]; // its keys
    it(`that is ${name} says so on every screen, accessibly`, async (t) => {
      const { url } = await enter(t);
      const page = await openPage(t);
      for (const [look, { width, height, scheme, ground }] of Object.entries(LOOKS)) {
        await page.resize(width, height);
        await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
        await page.goTo(url);
        await page.until(`document.querySelector('#taken').textContent.includes('over the last')`);
        await page.evaluate('wait = () => {}; clearTimeout(timer)'); // so that what is looked at is what is judged
        const at = `${name}, ${look}`;
        const { text, bottom, isWide, cut, order, background } = await page.evaluate<Seen>(SEEN);
        for (const expected of says) assert.match(text, expected, at);
        assert.ok(bottom <= height, `${at}: what is said ends at ${bottom} of ${height} pixels`);
        assert.equal(isWide, false, `${at} scrolls sideways`);
        assert.deepEqual(cut, [], `${at}: has no room for it`);
        assert.equal(order[0], first, at);
        assert.equal(background, ground, at);
        if (SCREENSHOTS === undefined) assert.match(await page.evaluate('document.title'), new RegExp(hostname()), at);
        assert.deepEqual(await violations(page), [], at);
        if (SCREENSHOTS === 'all' || (SCREENSHOTS !== undefined && DOCS.includes(`${name}-${look}`))) {
          mkdirSync(FOLDER, { recursive: true });
          writeFileSync(join(FOLDER, `status-${name.replaceAll(' ', '-')}-${look}.webp`), await page.screenshot());
        }
      }
    });
  }
});

interface Seen {
  readonly text: string;
  readonly bottom: number;
  readonly isWide: boolean;
  /** Figures and clients that are wider than their place. */
  readonly cut: readonly string[];
  readonly order: readonly string[];
  readonly background: string;
}

const SEEN = `(() => {
  const said = ['#host', '#health', '#notices'].map((part) => document.querySelector(part));
  return {
    text: said.map((part) => part.innerText).join('\\n'),
    bottom: Math.max(...said.map((part) => part.getBoundingClientRect().bottom)),
    isWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    cut: [...document.querySelectorAll('#figures dd:not(.spark), #recent td, #top td')]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map(({ innerText }) => innerText),
    order: [...document.querySelectorAll('#panels > *')].map(({ id }) => id),
    background: getComputedStyle(document.body).backgroundColor,
  };
})()`;

/** What axe finds wrong by WCAG 2.2 AA and by good practice. */
async function violations(page: Page): Promise<unknown[]> {
  await page.evaluate(`${AXE}; undefined`);
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html, failureSummary }) => html + ' ' + failureSummary)]))`);
}
