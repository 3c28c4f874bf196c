import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_NAMES } from '../../../contract/kinds/words.ts';
import {
  formatSubject,
  lookupKeysOf,
  parseLookupSubject,
  parseSubject,
  SubjectError,
  specificity,
  subjectFromTraffic,
} from '../../../contract/subject.ts';

const GOOGLEBOT =
  'Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

/** What is written, and the canonical name; undefined for a value that is compared as a whole. */
const NAMES: readonly (readonly [text: string, name: string | undefined])[] = [
  ['*ExampleBot*', '*examplebot*'],
  ['*Example  Bot*', '*example bot*'],
  ['*Example;Bot*', '*example bot*'],
  ['*Example/*', '*example/*'],
  ['*Example / *', '*example*'],
  ['*-example.bot_*', '*example.bot*'],
  ['*GrÜße*', '*grÜße*'],
  ['**Bot**', '*bot*'],
  ['*/*', undefined],
  ['* *', undefined],
  ['*', undefined],
  ['**', undefined],
  ['ExampleBot', undefined],
  ['*ExampleBot', undefined],
  ['ExampleBot*', undefined],
];

const UNREACHABLE = [
  '*1.0*',
  '*v2*',
  '*x*',
  '*mozilla*',
  '*Mozilla/*',
  '*Windows NT*',
  '*one two three four*',
  '*bot 2*',
  '*5.0 (X11)*',
];

describe('a name that agents contain', () => {
  it('has one canonical form, as an entry and in a request', () => {
    for (const kind of ['ua', 'header.x-agent'])
      for (const [text, name] of NAMES) {
        const canonical = `${kind}:${name ?? text}`;
        assert.equal(formatSubject(parseLookupSubject(`${kind}:${text}`)), canonical);
        assert.equal(formatSubject(parseLookupSubject(canonical)), canonical);
        const traffic = subjectFromTraffic(kind, Buffer.from(text));
        if (/^\s|\s$/.test(text)) continue;
        assert.equal(traffic && formatSubject(traffic), canonical);
      }
  });

  it('is refused where no lookup would ask for it', () => {
    for (const value of UNREACHABLE)
      assert.throws(
        () => parseSubject(`ua:${value}`),
        (error) => error instanceof SubjectError && /would never match: a name is looked up if/.test(error.message),
        value,
      );
  });

  it('is looked up as words, products and neighbours, the most specific first', () => {
    assert.deepEqual(lookupKeysOf('ua:ExampleBot/1.0 (+https://bot.example/about)'), [
      'ua:ExampleBot/1.0 (+https://bot.example/about)',
      'ua:*https bot.example about*',
      'ua:*bot.example about*',
      'ua:*https bot.example*',
      'ua:*bot.example/*',
      'ua:*bot.example*',
      'ua:*examplebot/*',
      'ua:*examplebot*',
      'ua:*about*',
    ]);
    assert.ok(lookupKeysOf(`ua:${GOOGLEBOT}`).includes('ua:*googlebot*'));
    assert.deepEqual(lookupKeysOf('header.x:*Foo*'.toLowerCase()), ['header.x:*foo*']);
  });

  it('loses to the whole value, and to a longer name', () => {
    const [whole, ...names] = ['ua:Example Bot/1', 'ua:*example bot*', 'ua:*example*', 'ua:*bot*'].map(specificity);
    assert.equal(whole, Number.POSITIVE_INFINITY);
    assert.deepEqual(
      names,
      names.toSorted((a, b) => b - a),
    );
  });

  const word = fc.constantFrom('example', 'Bot', 'SPIDER', 'aa-bb', 'xx.yy', 'Mozilla', '5.0', 'like', 'ü');
  const sign = fc.constantFrom(' ', '; ', ' (', '/', ',', ') ', '+', ' / ');
  const agent = fc.array(fc.tuple(word, sign), { minLength: 1, maxLength: 4 }).map((all) => all.flat().join('').trim());
  const name = fc.array(fc.constantFrom('example', 'bot', 'spider', 'aa-bb', 'xx.yy'), { minLength: 1, maxLength: 3 });

  it('matches exactly the agents that have its words next to each other', () => {
    fc.assert(
      fc.property(agent, name, (sent, words) => {
        const keys = lookupKeysOf(`ua:${sent}`);
        fc.pre(keys.length < MAX_NAMES); // an agent of more words has some names that are not looked up
        const inOrder = new RegExp(
          `(^|[^\\w.ü-])${words.map((one) => one.replace('.', '\\.')).join('[^\\w.ü-]+')}(?![\\w.ü-])`,
          'i',
        );
        assert.equal(keys.includes(`ua:*${words.join(' ')}*`), inOrder.test(sent), `${sent} ${words}`);
      }),
    );
  });

  it('costs a bounded number of keys, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1000 }), fc.array(word), (text, words) => {
        for (const sent of [text, words.join('/'), words.join(' ')]) {
          const subject = subjectFromTraffic('ua', Buffer.from(sent));
          if (!subject) continue;
          const canonical = formatSubject(subject);
          assert.equal(formatSubject(parseLookupSubject(canonical)), canonical);
          const keys = lookupKeysOf(canonical);
          assert.ok(keys.length <= 1 + MAX_NAMES && keys[0] === canonical);
          for (const key of keys.slice(1)) assert.equal(formatSubject(parseSubject(key)), key);
        }
      }),
    );
  });
});
