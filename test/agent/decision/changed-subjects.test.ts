import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { ChangedSubjects } from '../../../agent/decision/changed-subjects.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { formatSubject, lookupKeysOf, parseLookupSubject } from '../../../contract/subject.ts';

/** Few bits differ, so that networks often cover addresses. */
const ipv4 = fc
  .tuple(fc.constantFrom(10, 11), fc.constantFrom(0, 128), fc.constant(0), fc.nat(1))
  .map((octets) => octets.join('.'));
const ipv6 = fc
  .tuple(fc.constantFrom('2001:db8', '2001:db9'), fc.constantFrom('0', '8000'), fc.constant('0'), fc.nat(1))
  .map(([begin, ...groups]) => `${begin}:${groups.join(':')}::${groups[2]}`);
const address = fc.oneof(ipv4, ipv6).map((value) => formatSubject(parseLookupSubject(`ip:${value}`)));
/** An address, or a network around one. */
const around = fc
  .tuple(address, fc.nat())
  .map(([text, index]) => lookupKeysOf(text)[index % lookupKeysOf(text).length] ?? text);
const written = fc.oneof(
  address,
  around,
  fc.constantFrom('host:a.example', 'host:*.example', 'path:/a/*', 'path:/a/b', 'nothing', 'ip:x/y'),
);
/** What is looked up: addresses, the /64 around one where `ipv6Prefix` says so, and other kinds. */
const subject = fc.oneof(
  address,
  address.map((text) => lookupKeysOf(text).find((key) => key.endsWith('/64')) ?? text),
  fc.constantFrom('host:a.example', 'host:b.example', 'path:/a/b', 'path:/b'),
);

it('changes cover what one of their entries decides about, and no more', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 6 }), subject, (texts, asked) => {
      const changed = new ChangedSubjects();
      for (const text of texts) changed.add(text);
      const keys = new Set(lookupKeysOf(asked));
      const isCovered = texts.some((text) => keys.has(text));
      assert.equal(changed.covers(LookupSubject.parse(asked)), isCovered, `${texts.join(' ')} and ${asked}`);
    }),
    { numRuns: 500 },
  );
});
