import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressHint } from '../../../cli/formats/address-hint.ts';
import { collected } from '../../support/collected.ts';

/** What is written in place of an address, and what would be right. */
const HINTS: readonly (readonly [text: string, hint: string])[] = [
  ['203.0.113.0/255.255.255.0', 'has a mask: write 203.0.113.0/24'],
  ['203.0.113.7/255.255.255.255', 'has a mask: write 203.0.113.7'],
  ['203.0.113', 'is not whole: write 203.0.113.0/24'],
  ['203.0.113.', 'is not whole: write 203.0.113.0/24'],
  ['203.0.*.*', 'is not whole: write 203.0.0.0/16'],
  ['2001:db8::1%eth0', 'has a zone: write 2001:db8::1'],
  ['203.0.113.7-9', 'is a range: write 203.0.113.7-203.0.113.9'],
  ['203.0.113.7\u2013203.0.113.9', 'is a range: write 203.0.113.7-203.0.113.9'],
  ['203.0.113.7 \u2013 203.0.113.9', 'is a range: write 203.0.113.7-203.0.113.9'],
  ['203.0.113.7..203.0.113.9', 'is a range: write 203.0.113.7-203.0.113.9'],
  ['2001:db8::1\u20142001:db8::9', 'is a range: write 2001:db8::1-2001:db8::9'],
  ['203.000.113.007', 'has zeros before its numbers: write 203.0.113.7'],
  ['203[.]0[.]113[.]7', 'has brackets around its dots: write 203.0.113.7'],
  ['203.0.113(.)7', 'has brackets around its dots: write 203.0.113.7'],
  ['2001[:]db8::1', 'has brackets around its dots: write 2001:db8::1'],
  ['203.0.113.7.', 'ends with a dot: write 203.0.113.7'],
  ["'203.0.113.7'", 'is in quotes: write 203.0.113.7'],
];

/** Nobody knows what these are. */
const UNCLEAR = [
  '',
  'x',
  '203.0.113.256',
  '010.0.0.1',
  '0xcb.0.0x71.7',
  '3405803783',
  '203.0.113.0/0.0.0.255',
  '9',
  '::1::',
  '203.0.113.7 -1',
  '203.0.113.0%2F24',
];

describe('a line that is no address', () => {
  for (const [text, hint] of HINTS)
    it(`is told what it is: ${text}`, async () => {
      const { error, said } = await collected(`192.0.2.1\n${text}\n`);
      assert.match(error ?? '', /1 of 2 lines cannot be read/);
      assert.ok(said[0]?.endsWith(hint), said[0]);
    });

  it('is not guessed at', () => {
    for (const text of UNCLEAR) assert.equal(addressHint(text), undefined, text);
  });

  it('is no less exempt for it', async () => {
    const { error } = await collected('203.0.113.0/24\n203.0.113.0/255.255.255.0 allow\n', { skipInvalid: true });
    assert.match(error ?? '', /exempt/);
  });
});
