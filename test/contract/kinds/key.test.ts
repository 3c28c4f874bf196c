import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatSubject, parseSubject, SubjectError, subjectFromTraffic } from '../../../contract/subject.ts';

/** From `printf hunter2 | sha256sum`. */
const DIGEST = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7';

describe('a key', () => {
  it('is its SHA-256, whoever writes it', () => {
    assert.equal(formatSubject(parseSubject('key:hunter2')), `key:sha256:${DIGEST}`);
    assert.deepEqual(subjectFromTraffic('key', Buffer.from('hunter2')), { kind: 'key', value: `sha256:${DIGEST}` });
  });

  it('that is written as a digest is that', () => {
    assert.equal(formatSubject(parseSubject(`key:sha256:${DIGEST}`)), `key:sha256:${DIGEST}`);
    assert.equal(formatSubject(parseSubject(`key:sha256:${DIGEST.toUpperCase()}`)), `key:sha256:${DIGEST}`);
  });

  it('that traffic brings is hashed also where it looks like a digest', () => {
    const forged = subjectFromTraffic('key', Buffer.from(`sha256:${DIGEST}`));
    assert.match(forged?.value ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.notEqual(forged?.value, `sha256:${DIGEST}`);
  });

  it('is compared to the last byte, however long it is', () => {
    const long = 'k'.repeat(10_000);
    assert.deepEqual(subjectFromTraffic('key', Buffer.from(long)), parseSubject(`key:${long}`));
    assert.notDeepEqual(
      subjectFromTraffic('key', Buffer.from(`${long} `)),
      subjectFromTraffic('key', Buffer.from(long)),
    );
    assert.notDeepEqual(
      subjectFromTraffic('key', Buffer.from('Hunter2')),
      subjectFromTraffic('key', Buffer.from('hunter2')),
    );
  });

  it('with blanks around it is none, as some servers take them off', () => {
    for (const blank of [' ', '\u00a0', '\u0085', '\u3000'])
      for (const value of [`hunter2${blank}`, `${blank}hunter2`])
        for (const kind of ['key', 'ua', 'header.x-plan']) {
          assert.equal(subjectFromTraffic(kind, Buffer.from(value)), undefined, JSON.stringify(value));
          if (blank <= '\u00ff')
            assert.equal(subjectFromTraffic(kind, Buffer.from(value, 'latin1')), undefined, JSON.stringify(value));
        }
    for (const value of ['hunter 2', 'hunter\u00a02', 'voilà', '\ufeffx'])
      assert.ok(subjectFromTraffic('ua', Buffer.from(value)), JSON.stringify(value));
  });

  it('is in no message about it', () => {
    for (const text of ['key:hunter2\n', 'key:sha256:hunter2', `key:sha256:${DIGEST}hunter2`, 'kye:hunter2'])
      assert.throws(
        () => parseSubject(text),
        (error) => error instanceof SubjectError && !/hunter2|f52f/.test(error.message),
      );
  });
});
