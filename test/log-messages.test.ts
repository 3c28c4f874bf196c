import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { logCalls } from './support/log-calls.ts';

const DOCUMENT = new URL('../docs/reference/logs.md', import.meta.url);
const calls = logCalls();

describe('the messages of the log', () => {
  it('are written out where they are logged', () => {
    assert.ok(calls.length > 40, 'they are found at all');
    assert.deepEqual(
      calls.filter(({ messages }) => messages.length === 0),
      [],
    );
  });

  it('are in docs/reference/logs.md with their level, and no others', () => {
    const [, section = ''] = readFileSync(DOCUMENT, 'utf8').split('## Messages');
    const documented = [...section.matchAll(/^\| `([^`]+)` \| (\w+) \|/gm)].map(
      ([, text, level]) => `${level} ${text}`,
    );
    const logged = calls.flatMap(({ level, messages }) => messages.map((text) => `${level} ${text}`));
    assert.deepEqual(documented.toSorted(), [...new Set(logged)].toSorted());
  });

  it('are of one log, whose level can be changed: nobody makes a child of it', () => {
    const sources = new Set(calls.map(({ file }) => file));
    const children = [...sources].filter((file) =>
      /\.child\(/.test(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')),
    );
    assert.deepEqual(children, []);
  });
});
