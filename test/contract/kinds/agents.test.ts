import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lookupKeysOf } from '../../../contract/subject.ts';
import { collected } from '../../support/collected.ts';
import { describeNewer } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

const BEGINNINGS = [
  'Acorn',
  'Birch',
  'Cedar',
  'Dahlia',
  'Elder',
  'Fern',
  'Ginkgo',
  'Hazel',
  'Iris',
  'Juniper',
  'Laurel',
];
const ENDS = ['Bot', 'bot', '-spider', ' Crawler', 'Spider', '.fetch', '-archiver', '_scan', ' Site Check', 'Preview'];
const NAMES = BEGINNINGS.flatMap((one) => ENDS.map((end) => `${one}${end}`));
/** The others are crawlers that no list has. */
const LISTED = NAMES.filter((_, at) => at % 3 !== 0);

const SYSTEMS = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'Linux; Android 14; Pixel 8 Build/AP1A.240305.019',
  'iPhone; CPU iPhone OS 17_4 like Mac OS X',
];
const ENGINE = 'AppleWebKit/537.36 (KHTML, like Gecko)';

/** How browsers name themselves; `n` is any number. */
const BROWSERS: readonly ((system: string, n: number) => string)[] = [
  (system, n) => `Mozilla/5.0 (${system}) ${ENGINE} Chrome/${100 + n}.0.0.0 Safari/537.36`,
  (system, n) => `Mozilla/5.0 (${system}) ${ENGINE} Chrome/${100 + n}.0.0.0 Safari/537.36 Edg/${100 + n}.0.2478.51`,
  (system, n) => `Mozilla/5.0 (${system}) ${ENGINE} Chrome/${100 + n}.0.0.0 Mobile Safari/537.36 OPR/${60 + n}.1.0`,
  (system, n) => `Mozilla/5.0 (${system}; rv:${90 + n}.0) Gecko/20100101 Firefox/${90 + n}.0`,
  (system, n) =>
    `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${n}.1 Mobile/15E148 Safari/604.1`,
  (system, n) =>
    `Mozilla/5.0 (${system}; wv) ${ENGINE} Version/4.0 Chrome/${100 + n}.0.0.0 Mobile Safari/537.36 Shop/${n}.2`,
];

/** How crawlers do. */
const CRAWLERS: readonly ((name: string, n: number) => string)[] = [
  (name, n) => `Mozilla/5.0 (compatible; ${name}/${n}.0; +https://crawl.example/about)`,
  (name, n) => `${name}/${n}.${n + 1}`,
  (name) => name,
  (name, n) => `${name}/${n}.0 (+https://crawl.example/; help@crawl.example)`,
  (name, n) =>
    `Mozilla/5.0 ${ENGINE}; compatible; ${name}/${n}.0; +https://crawl.example) Chrome/${100 + n}.0.0.0 Safari/537.36`,
  (name, n) =>
    `Mozilla/5.0 (${SYSTEMS[3]}) ${ENGINE} Chrome/${100 + n}.0.0.0 Mobile Safari/537.36 (compatible; ${name}/${n}.1)`,
  (name, n) => `python-requests/2.${n}.0 ${name}`,
  (name, n) => `${name.toUpperCase()} v${n} (research project of the example university; contact crawl.example)`,
  (name) => `My${name}s/1.0`,
];

/** As lists have them: names, and patterns that are names with escapes. */
const LISTS: Readonly<Record<string, string>> = {
  'a list of names': LISTED.map((name) => `${name}\n`).join(''),
  'a list of patterns': LISTED.map((name) => `\\b${name.replace(/[ .-]/g, '\\$&')}\\b\n`).join(''),
};

describeNewer('agents that a list names', () => {
  const random = new Random(22);
  const agents = (of: readonly ((what: string, n: number) => string)[], what: readonly string[]) =>
    what.flatMap((one) => of.map((agent) => agent(one, random.below(40) + 1)));
  const browsers = agents(
    BROWSERS,
    SYSTEMS.flatMap((system) => Array<string>(8).fill(system)),
  );
  const crawlers = agents(CRAWLERS, NAMES);
  const meant = LISTED.map((name) => new RegExp(`(?<![\\w.-])${name.replace(/[.]/g, '\\.')}(?![\\w.-]*\\w)`, 'i'));

  for (const [what, list] of Object.entries(LISTS))
    it(`are found, nearly all of them, and no others: ${what}`, async () => {
      const { subjects, error } = await collected(list, { kind: 'ua', contains: true });
      assert.equal(error, undefined);
      assert.equal(subjects.length, new Set(LISTED.map((name) => name.toLowerCase())).size);
      const entries = new Set(subjects);
      const isFound = (agent: string) => lookupKeysOf(`ua:${agent}`).some((key) => entries.has(key));
      const isMeant = (agent: string) => meant.some((name) => name.test(agent));
      const all = crawlers.filter(isMeant);
      const found = all.filter(isFound);
      assert.ok(all.length > 500 && found.length >= 0.85 * all.length, `${found.length} of ${all.length}`);
      assert.deepEqual(
        [...browsers, ...crawlers].filter((agent) => isFound(agent) && !isMeant(agent)),
        [],
      );
      assert.ok(browsers.every((agent) => !isMeant(agent)));
    });

  it('cost at most nine keys each', () => {
    for (const agent of [...browsers, ...crawlers]) assert.ok(lookupKeysOf(`ua:${agent}`).length <= 9, agent);
  });
});
