import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { duplicatedParts } from '../../config/duplicated-parts.ts';
import { settingsWith } from '../support/settings.ts';

const [message] = settingsWith({}).messages;
assert.ok(message);

function repeated(subjects: Readonly<Record<string, string>>, given: Readonly<Record<string, string>> = {}) {
  return duplicatedParts({
    ...(message as NonNullable<typeof message>), // there is one: see above
    subjects: Object.entries(subjects).map(([kind, expression]) => ({ kind, expression })),
    arguments: Object.entries(given).map(([name, expression]) => ({ name, expression })),
  });
}

describe('a message that a client can make larger than a frame', () => {
  const TWICE: readonly (readonly [Record<string, string>, Record<string, string>, string])[] = [
    [
      { key: 'req.fhdr(authorization)', 'header.authorization': 'req.fhdr(Authorization)' },
      {},
      'the header authorization',
    ],
    [{ key: 'hdr(x-api-key)' }, { raw: 'req.hdr(x-api-key),lower' }, 'the header x-api-key'],
    [{ path: 'path' }, { decoded: 'path,url_dec' }, 'the URL'],
    [{ path: 'path' }, { all: 'url' }, 'the URL'],
    [{ 'cookie.a': 'req.cook(a)', 'cookie.b': 'req.cook(b)' }, {}, 'the header cookie'],
    [{ 'header.a': 'req.body_param(a)' }, { body: 'req.body' }, 'the body'],
  ];
  for (const [subjects, given, part] of TWICE)
    it(`sends ${part} twice: ${JSON.stringify({ ...subjects, ...given })}`, () => {
      const [found, ...others] = repeated(subjects, given);
      assert.ok(found?.message.includes(`each send ${part}: if it has more than 8190 bytes`), found?.message);
      assert.deepEqual(others, []);
      assert.equal(found?.place[1], [...Object.keys(subjects), ...Object.keys(given)].at(-1));
    });

  it('can do so sooner the more often it stands there', () => {
    const [found] = repeated({ path: 'path' }, { a: 'path,lower', b: 'url' });
    assert.match(found?.message ?? '', /^path, a and b each send the URL: if it has more than 5460 bytes/);
  });

  for (const subjects of [
    { ip: 'src', host: 'req.hdr(host)', path: 'path', ua: 'req.fhdr(user-agent)', key: 'req.fhdr(x-api-key)' },
    { key: 'req.fhdr(authorization)', 'header.authorization': 'req.fhdr(authorization),sha2(256),hex' },
    { country: 'src,map_ip(a.map)', asn: 'src,map_ip(b.map)', ja4: 'req.hdr(x-ja4)' },
  ])
    it(`is not one with ${Object.values(subjects).join(' ')}`, () => assert.deepEqual(repeated(subjects), []));
});
