import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { ReferenceIds } from '../../../agent/server/reference-id.ts';
import { subjectHint } from '../../../cli/help/subject-hint.ts';
import { readSubject } from '../../../cli/options/arguments.ts';
import { checkProfile } from '../../../cli/options/profile.ts';
import { parseSubject } from '../../../contract/subject.ts';

const HINTS: readonly (readonly [typed: string, says: string])[] = [
  ['203.0.113.4,203.0.113.5', 'name each by itself, as 203.0.113.4 and 203.0.113.5'],
  ['203.0.113.0/24, 2001:db8::1', 'as 203.0.113.0/24 and 2001:db8::1'],
  ['host:a.example;host:b.example', 'as host:a.example and host:b.example'],
  [new ReferenceIds().text.replace(/.$/, '7'), 'may be the reference id of a deny: haverdict denied prints'],
  ['203.0.113.4-203.0.113.9', 'is a range: write 203.0.113.4/30 203.0.113.8/31'],
  ['203.0.113.4 - 203.0.113.4', 'is a range: write 203.0.113.4'],
  ['203.0.113.1-203.0.113.254', 'is 14 networks and addresses: write them to a file, which haverdict import reads'],
  ['2001:db8::/126', 'is a range: write 2001:db8:: 2001:db8::1 2001:db8::2 2001:db8::3'],
  ['16.0.0.0/4', 'it is 16 of /8, from 16.0.0.0/8 to 31.0.0.0/8, which need --force'],
  ['0.0.0.0/0', 'it is 256 of /8, from 0.0.0.0/8 to 255.0.0.0/8'],
  ['ip:2001::/12', 'it is 16 of /16, from 2000::/16 to 200f::/16'],
  ['::/0', 'it is 65536 of /16, from ::/16 to ffff::/16'],
  ['203.0.113.0/255.255.255.0', 'has a mask: write 203.0.113.0/24'],
  ['203.0.113.7 255.255.255.255', 'has a mask: write 203.0.113.7'],
  ['203.0.113.*', 'is not whole: write 203.0.113.0/24'],
  ['203.0.*.*', 'is not whole: write 203.0.0.0/16'],
  ['203.0.113', 'is not whole: write 203.0.113.0/24'],
  ['203.0.113.', 'is not whole: write 203.0.113.0/24'],
  ['203.0.113.7:8080', 'has a port or brackets: write 203.0.113.7'],
  ['[2001:db8::1]:443', 'has a port or brackets: write 2001:db8::1'],
  ['fe80::1%eth0', 'has a zone: write fe80::1'],
  ['https://shop.example/x?y', 'is a URL: write host:shop.example or path:/x'],
  ['http://shop.example', 'is a URL: write host:shop.example'],
  ['/admin', 'is a path: write path:/admin'],
  ['AS64500', 'write asn:64500'],
  ['de', 'write country:DE'],
  ['POST', 'write method:POST'],
  ['t13d1516h2_8daaf6152771_b186095e22b6', 'write ja4:t13d1516h2_8daaf6152771_b186095e22b6'],
  ['shop.example', 'is a host name: write host:shop.example'],
  ['.shop.example', 'is a host name: write host:*.shop.example'],
  ['*.shop.example', 'is a host name: write host:*.shop.example'],
  ['shop.example:8080', 'is a host name: write host:shop.example:8080'],
  ['ExampleBot/1.0', "write 'ua:*ExampleBot*'"],
  ['sqlmap-scanner', "write 'ua:*sqlmap-scanner*'"],
];

describe('a subject that is typed wrong', () => {
  for (const [typed, says] of HINTS)
    it(`gets a hint: ${typed}`, () => {
      assert.throws(
        () => readSubject(typed),
        ({ message }: Error) => message.includes(says) && !message.includes('\n'),
        subjectHint(typed),
      );
    });

  it('gets a hint whose words are subjects', () => {
    for (const [typed] of HINTS) {
      const [, words = ''] = /: write (?!them)(.*?)( for every.*)?$/.exec(subjectHint(typed) ?? '') ?? [];
      for (const word of words === '' ? [] : words.replaceAll("'", '').replace(' or ', ' ').split(' '))
        assert.doesNotThrow(() => parseSubject(word), typed);
    }
  });

  it('gets the message of its kind where nothing is clear, whatever it is', () => {
    for (const typed of ['nonsense', 'x', '', 'bot:x', 'path:admin', '256.1.1.1', '198.51.100.7/24'])
      assert.deepEqual([subjectHint(typed), typeof readProblem(typed)], [undefined, 'string'], typed);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'12.:/-,*[]%ahttps ') }), (typed) => {
        const hint = subjectHint(typed);
        assert.ok(hint === undefined || !/[\p{Cc}]/u.test(hint));
      }),
    );
  });
});

function readProblem(typed: string): string | undefined {
  try {
    readSubject(typed);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('an AWS profile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const env = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') };
  writeFileSync(env.AWS_CONFIG_FILE, '[default]\nregion = x\n[profile "prod eu"]\n[ profile stage ]\n');
  writeFileSync(env.AWS_SHARED_CREDENTIALS_FILE, '[keys]\naws_access_key_id = x\n');

  it('that exists is taken', () => {
    for (const name of ['default', 'prod eu', 'stage', 'keys']) checkProfile(name, env);
    checkProfile('default', { HOME: '/nonexistent' });
  });

  it('that does not exist is named, with the files and a similar one', () => {
    assert.throws(() => checkProfile('staeg', env), {
      message: `profile staeg is in neither ${folder}/config nor ${folder}/credentials: did you mean stage?`,
      exitCode: 2,
    });
    assert.throws(() => checkProfile('nope', { HOME: '/nonexistent' }), {
      message: 'profile nope is in neither /nonexistent/.aws/config nor /nonexistent/.aws/credentials',
    });
  });
});
