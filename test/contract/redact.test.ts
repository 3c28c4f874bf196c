import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRedactedSubject, redactedSubject } from '../../contract/redact.ts';
import { formatSubject, parseSubject, SubjectError } from '../../contract/subject.ts';
import { SECRETS, spellingsOf } from '../support/secrets.ts';

const SECRET_KINDS = ['cookie.session', 'header.authorization', 'key', 'Cookie.SESSION', ' header.x'];

describe('a subject as it is told', () => {
  it('is a digest that other programs make too, where its value lets somebody in', () => {
    // FIPS 180-2, appendix B.1
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    assert.equal(redactedSubject('cookie.session:abc'), 'cookie.session:sha256:ba7816bf8f01cfea');
    assert.equal(redactedSubject('header.authorization:abc'), 'header.authorization:sha256:ba7816bf8f01cfea');
    assert.equal(redactedSubject(`key:sha256:${digest}`), `key:sha256:${digest}`);
  });

  it('is unchanged if it is not secret', () => {
    for (const subject of ['ip:203.0.113.7', 'host:shop.example', 'ua:cookie.session:x', 'path:/key:x', 'rules', ''])
      assert.equal(redactedSubject(subject), subject);
  });

  it('has nothing of a secret in it, however the subject is written', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SECRET_KINDS), SECRETS, (kind, secret) => {
        const told = redactedSubject(`${kind}:${secret}`);
        for (const spelling of spellingsOf(secret)) assert.ok(!told.includes(spelling), told);
      }),
    );
  });

  it('is known for what it is, so that nobody lists a digest', () => {
    assert.ok(
      isRedactedSubject(redactedSubject('cookie.session:abc')) && isRedactedSubject(redactedSubject('header.x:abc')),
    );
    for (const subject of ['cookie.session:abc', redactedSubject('key:abc'), 'ua:sha256:ba7816bf8f01cfea'])
      assert.ok(!isRedactedSubject(subject), subject);
  });

  it('is the same for every spelling of a subject, and differs between subjects', () => {
    const told = (text: string) => redactedSubject(formatSubject(parseSubject(text)));
    assert.equal(told('cookie.session:"st%6flen"'), told('cookie.session:stolen'));
    assert.notEqual(told('cookie.session:stolen'), told('cookie.session:Stolen'));
  });
});

describe('the message about a subject that is wrong', () => {
  it('has nothing of a secret in it', () => {
    const wrong = fc.constantFrom('\u0000', '"', 'x'.repeat(1100));
    fc.assert(
      fc.property(fc.constantFrom(...SECRET_KINDS.slice(0, 4)), SECRETS, wrong, (kind, secret, mistake) => {
        let message = '';
        try {
          parseSubject(`${kind}:${secret}${mistake}`);
        } catch (error) {
          assert.ok(error instanceof SubjectError);
          ({ message } = error);
        }
        for (const spelling of spellingsOf(secret)) assert.ok(!message.includes(spelling), message);
      }),
    );
  });
});
