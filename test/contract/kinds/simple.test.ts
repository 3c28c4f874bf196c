import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatSubject, parseSubject, SubjectError, subjectFromTraffic } from '../../../contract/subject.ts';

const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';

/** What is written, and what that is; undefined where it is refused. */
const CASES: Readonly<Record<string, readonly (readonly [string, string | undefined])[]>> = {
  method: [
    ['post', 'POST'],
    ['M-SEARCH', 'M-SEARCH'],
    ['x!#$%&*+.^_`|~', 'X!#$%&*+.^_`|~'],
    ["it's", "IT'S"],
    ['GET /', undefined],
    ['GET,POST', undefined],
    ['große', undefined],
    ['POſT', undefined],
    ['A'.repeat(1100), undefined],
  ],
  country: [
    ['de', 'DE'],
    ['t1', 'T1'],
    ['DEU', undefined],
    ['D', undefined],
    ['1D', undefined],
    ['ß', undefined],
    ['de ', undefined],
  ],
  asn: [
    ['64500', '64500'],
    ['AS64500', '64500'],
    ['as0', '0'],
    ['4294967295', '4294967295'],
    ['4294967296', undefined],
    ['AS064500', undefined],
    ['00', undefined],
    ['1.10', undefined],
    ['-1', undefined],
    ['AS', undefined],
    ['ASAS1', undefined],
    ['1e3', undefined],
    ['٣', undefined],
  ],
  ja4: [
    [JA4, JA4],
    [JA4.toUpperCase(), JA4],
    ['q13i0310h3_55b375c5d22e_cd85d2d88918', 'q13i0310h3_55b375c5d22e_cd85d2d88918'],
    ['t13d1516h2_8daaf6152771', undefined],
    [`${JA4}0`, undefined],
    [`x${JA4.slice(1)}`, undefined],
    [JA4.replace('1516', '15a6'), undefined],
    [JA4.replace('8d', '8g'), undefined],
    ['e7d705a3286e19ea42f587b344ee6865', undefined],
  ],
  ua: [
    ['Bot/1.0 (+https://bot.example), x', 'Bot/1.0 (+https://bot.example), x'],
    ['x'.repeat(1021), 'x'.repeat(1021)],
    ['x'.repeat(1022), undefined],
    ['ü'.repeat(511), undefined],
  ],
  'header.x-api-key': [['Secret: 1', 'Secret: 1']],
  'cookie.asp.net_sessionid': [['a=b', 'a=b']],
};

for (const [kind, cases] of Object.entries(CASES))
  describe(`the kind ${kind}`, () => {
    for (const [text, value] of cases)
      it(`${value === undefined ? 'refuses' : `reads as ${JSON.stringify(value.slice(0, 40))}`} ${JSON.stringify(text.slice(0, 40))}`, () => {
        assert.equal(subjectFromTraffic(kind, Buffer.from(text))?.value, value);
        if (value === undefined) assert.throws(() => parseSubject(`${kind}:${text}`), SubjectError);
        else assert.equal(formatSubject(parseSubject(`${kind}:${text}`)), `${kind}:${value}`);
      });
  });

describe('the name of a header or cookie', () => {
  it('is in lower case', () => {
    assert.equal(formatSubject(parseSubject('Header.X-Api-Key:V')), 'header.x-api-key:V');
    assert.equal(formatSubject(parseSubject('COOKIE.ASP.NET_SessionId:V')), 'cookie.asp.net_sessionid:V');
  });
});

describe('what is refused', () => {
  it('is told what would be right, in one line', () => {
    for (const [text, message] of [
      ['method:GET /', '"method:GET /" must be a method, such as POST'],
      ['country:DEU', '"country:DEU" must be two letters, such as DE'],
      ['asn:AS01', '"asn:AS01" must be a number from 0 to 4294967295 without leading zeros, such as 64500 or AS64500'],
      ['ja4:x', `"ja4:x" must be a JA4 fingerprint, such as ${JA4}`],
    ] as const)
      assert.throws(() => parseSubject(text), { name: 'SubjectError', message });
  });
});
