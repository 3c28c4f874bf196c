import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collected } from '../../support/collected.ts';

/** JSON that is not read as it is, by what it is like, and the addresses in it. */
const DOCUMENTS: readonly (readonly [what: string, document: unknown, addresses: readonly string[]])[] = [
  [
    'a list of endpoints',
    [{ id: 1, category: 'Default', ips: ['203.0.113.0/24', '2001:db8::/32'] }],
    ['203.0.113.0/24', '2001:db8::/32'],
  ],
  ['a list of hosts', [{ ip_str: '203.0.113.7', port: 80 }, { ip_str: '203.0.113.8' }], ['203.0.113.7', '203.0.113.8']],
  [
    'rules of Cloudflare',
    { success: true, result: [{ id: 'x', configuration: { target: 'ip', value: '203.0.113.7' } }] },
    ['203.0.113.7'],
  ],
  [
    'an answer of a search',
    { took: 1, hits: { hits: [{ _source: { client: { ip: '203.0.113.7' } } }] } },
    ['203.0.113.7'],
  ],
  ['two lists', { v4: ['203.0.113.7'], v6: ['2001:db8::1'] }, ['2001:db8::1', '203.0.113.7']],
  [
    'names that are data',
    { EU: { cidrs: ['203.0.113.0/24'] }, 'North America': { cidrs: ['198.51.100.0/24'] } },
    ['198.51.100.0/24', '203.0.113.0/24'],
  ],
  ['records of a log', { src: { ip: '203.0.113.7' } }, ['203.0.113.7']],
];

describe('JSON of another form', () => {
  for (const [what, document, addresses] of DOCUMENTS)
    it(`is refused with words that read it: ${what}`, async () => {
      const text = JSON.stringify(document);
      const refused = await collected(text);
      const [, field] = /--field '?([^ ']+)'?/.exec(`${refused.error} ${refused.said.join(' ')}`) ?? [];
      assert.ok(field !== undefined, refused.error);
      const { error, subjects, said } = await collected(text, { field });
      assert.deepEqual(
        [error, [...subjects].sort()],
        [undefined, addresses.map((one) => `ip:${one}`).sort()],
        said.join('\n'),
      );
    });
});
