import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cookieValues, MAX_COOKIES_OF_A_NAME } from '../../../contract/kinds/cookie.ts';
import { formatSubject, parseSubject, SubjectError, subjectFromTraffic } from '../../../contract/subject.ts';
import { longRuns } from '../../support/scope.ts';

describe('the value of a cookie', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['stolen', 'stolen'],
    ['Stolen', 'Stolen'],
    ['"stolen"', 'stolen'],
    ['st%6flen', 'stolen'],
    ['"st%6Flen"', 'stolen'],
    ['a=b', 'a=b'],
    ['a%3Db', 'a=b'],
    ['ab+c/d==', 'ab+c/d=='],
    ['ab%2Bc%2Fd%3D%3D', 'ab+c/d=='],
    ['Joe Doe', 'Joe+Doe'],
    ['Joe%20Doe', 'Joe+Doe'],
    ['100%', '100%25'],
    ['100%25', '100%25'],
    ['%2561', '%2561'],
    ['%zz%4', '%25zz%254'],
    ['%22stolen%22', '%22stolen%22'],
    ['{"a":1}', '{%22a%22:1}'],
    ['%7b%22a%22%3A1%7d', '{%22a%22:1}'],
    ['grüße', 'gr%C3%BC%C3%9Fe'],
    ['gr%c3%bc%C3%9fe', 'gr%C3%BC%C3%9Fe'],
    ['%0d%0A%00', '%0D%0A%00'],
    ['a\\b', 'a\\b'],
  ];
  for (const [text, value] of spellings)
    it(`${text} is ${value}, whoever writes it`, () => {
      assert.equal(typed(text), `cookie.session:${value}`);
      assert.equal(brought(text), value);
    });

  for (const text of ['"', '"stolen', 'stolen"', '""stolen""', '"st"olen"', '"st\\157len"', '"\\"'])
    it(`${text} is none: servers differ`, () => {
      assert.equal(brought(text), undefined);
      assert.throws(() => typed(text), /of a cookie must have no quotes, or one at either end with no " or \\ between/);
    });

  it('of nothing between quotes is nothing that can be listed', () => {
    assert.equal(subjectFromTraffic('cookie.session', Buffer.from('""')), null);
    assert.throws(() => typed('""'), SubjectError);
  });

  it('is too long by its canonical form, and not by its spelling', () => {
    assert.equal(brought('%61'.repeat(1000)), 'a'.repeat(1000));
    for (const value of ['a'.repeat(1010), 'a'.repeat(9000), '%61'.repeat(1025), `"${'a'.repeat(9000)}"`])
      assert.equal(subjectFromTraffic('cookie.session', Buffer.from(value)), null, value.slice(0, 9));
    for (const value of [`"${'a'.repeat(9000)}`, `${'a'.repeat(9000)}"`, `"${'a'.repeat(9000)}"a"`])
      assert.equal(brought(value), undefined, value.slice(0, 9));
    assert.equal(valuesIn(`session=${'a'.repeat(9000)}; session=b`, 'session')?.length, 2);
  });

  it('is the same however its bytes are encoded and whether it is quoted, and its canonical form is its own', () => {
    const byte = fc.oneof(fc.integer({ min: 0x21, max: 0x7e }), fc.integer({ min: 0, max: 0xff }));
    const spelled = fc.array(fc.tuple(byte, fc.nat(2)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(spelled, fc.boolean(), (bytes, quoted) => {
        const plainly = bytes.map(([of]) => hexOf(of, true)).join('');
        const text = bytes.map(([of, how]) => (how === 0 && isHarmless(of) ? char(of) : hexOf(of, how === 1))).join('');
        const value = brought(plainly);
        assert.ok(value);
        assert.equal(brought(quoted ? `"${text}"` : text), value);
        assert.equal(typed(value), `cookie.session:${value}`);
      }),
      { numRuns: longRuns(10_000) },
    );
  });
});

describe('the cookies of a name', () => {
  const headers: readonly (readonly [string, readonly string[]])[] = [
    ['session=a', ['a']],
    ['x=1; session=a; y=2', ['a']],
    ['x=1;session=a;y=2', ['a']],
    [' session = a ', ['a']],
    ['session=a; session=b', ['a', 'b']],
    ['session=a; session=a', ['a']],
    ['session=a=b', ['a=b']],
    ['session="a"', ['"a"']],
    ['session="a b"', ['"a b"']],
    ['x="a; session=b"', ['b"']],
    ['session=a,y', ['a,y', 'a']],
    ['session=a y', ['a y', 'a']],
    ['x=1,session=a', ['a']],
    ['x=1 session=a', ['a']],
    ['x=session=a', []],
    ['SESSION=a', ['a']],
    ['%73ession=a', ['a']],
    ['my.id=1; session=a', ['a']],
    ['sessions=a; xsession=b; session', []],
    ['session=; session="', ['"']],
    ['session=', []],
    ['=session; ;;=', []],
    ['', []],
  ];
  for (const [header, values] of headers)
    it(`in ${JSON.stringify(header)} are ${values.join(' and ') || 'none'}`, () => {
      assert.deepEqual(valuesIn(header, 'session'), values);
    });

  it('may have a dot where PHP has an underscore', () => {
    for (const name of ['ASP.NET_SessionId', 'asp_net_sessionid'])
      assert.deepEqual(valuesIn('ASP.NET_SessionId=a', name), ['a']);
  });

  it('are too many past a limit, however they are set apart', () => {
    for (const between of [';', '; ', ',', ' ', ', ']) {
      const few = Array.from({ length: MAX_COOKIES_OF_A_NAME }, (_, index) => `session=${index}`);
      assert.ok(valuesIn(few.join(between), 'session'));
      assert.equal(valuesIn([...few, 'session=x'].join(between), 'session'), undefined);
    }
  });

  it('are at least what servers read that split at semicolons, or at commas and blanks too', () => {
    const piece = fc.constantFrom('session', 'x', '=', ';', '; ', ',', ' ', 'stolen', '"', '%6f', 'SESSION', '');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const header = pieces.join('');
        const values = valuesIn(header, 'session');
        for (const separator of [/;/, /[;,] ?/, /[;,\s]+/]) {
          const read = header.split(separator).flatMap((pair) => {
            const [name, ...rest] = pair.split('=');
            return name?.trim() === 'session' && rest.join('=').trim() !== '' ? [rest.join('=').trim()] : [];
          });
          const isWhole = (value: string) => value.startsWith('"') === value.endsWith('"') && value !== '"';
          if (values)
            for (const value of read.filter(isWhole)) assert.ok(values.includes(value), `${value} in ${header}`);
        }
      }),
      { numRuns: longRuns(10_000) },
    );
  });

  it('are found in no time to speak of', () => {
    for (const unit of [';', '=', ',', ' ', 'session=', 'session', 'a=b;', '"', '%73'])
      assert.ok(tookMs(() => valuesIn(unit.repeat(200_000 / unit.length), 'session')) < 500, unit);
  });
});

function valuesIn(header: string, name: string): string[] | undefined {
  return cookieValues(Buffer.from(header, 'latin1'), name)?.map((value) => Buffer.from(value).toString('latin1'));
}

function typed(value: string): string {
  return formatSubject(parseSubject(`cookie.session:${value}`));
}

function brought(value: string): string | undefined {
  return subjectFromTraffic('cookie.session', Buffer.from(value))?.value;
}

/** What a value can have in it as it is. */
function isHarmless(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && !'"%\\'.includes(char(byte));
}

function char(byte: number): string {
  return String.fromCharCode(byte);
}

function hexOf(byte: number, upper: boolean): string {
  const hex = byte.toString(16).padStart(2, '0');
  return `%${upper ? hex.toUpperCase() : hex}`;
}

function tookMs(act: () => unknown): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}
