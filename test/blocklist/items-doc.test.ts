import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { readEntry } from '../../blocklist/as-meant.ts';
import { fromAttributes } from '../../blocklist/dynamodb/item.ts';
import { StoredEntry } from '../../blocklist/entry.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../docs/reference/items.md'), 'utf8');

/** The items of the examples, by the language of their block: attributes, or plain values. */
const ITEMS: Readonly<Record<string, readonly [RegExp, object]>> = {
  sh: [
    /--item '(\{[^']+\})'/,
    { subject: 'ip:203.0.113.7', list: 'manual', action: 'deny', reason: 'abuse', expiresAt: 1_893_456_000 },
  ],
  json: [/^(\{.*\})$/m, { subject: 'ip:203.0.113.8', list: 'manual', action: 'deny', status: 429 }],
  python: [
    /Item=(\{.*\})$/m,
    { subject: 'host:evil.example', list: 'manual', action: 'redirect', vars: { location: '/sorry' } },
  ],
  hcl: [/<<ITEM\n(.*)\nITEM/, { subject: 'ip:198.51.100.0/24', list: 'partners', action: 'allow' }],
};

describe('the reference of items', () => {
  for (const [language, [pattern, expected]] of Object.entries(ITEMS))
    it(`has an example in ${language} that is an entry without a mistake`, () => {
      const [, block = ''] = new RegExp(`\`\`\`${language}\n([^]+?)\`\`\``).exec(TEXT) ?? [];
      const [, json = ''] = pattern.exec(block) ?? [];
      const written = JSON.parse(json) as Record<string, AttributeValue>;
      const item = typeof written.subject === 'string' ? written : fromAttributes(written);
      assert.deepEqual(readEntry(item), { entry: expected, corrections: [] });
    });

  it('has a row for each attribute, and for no other', () => {
    const rows = [...TEXT.matchAll(/^\| (`\w+`(?:, `\w+`)*) \| (?:String|Number|Map)/gm)].flatMap(([, names = '']) =>
      names.split(', '),
    );
    assert.deepEqual(rows.map((name) => name.slice(1, -1)).sort(), Object.keys(StoredEntry.shape).sort());
  });
});
