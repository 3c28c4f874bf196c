import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import { AckAddressWriter } from '../../../agent/server/ack-address-writer.ts';
import { longRuns } from '../../support/scope.ts';

/** Groups of an IPv6 address, many of them zero, so that runs of zeros come in all lengths and places. */
const groups = fc.array(
  fc.oneof(fc.constant(0), fc.constant(0), fc.constantFrom(1, 0xf, 0x10, 0xabc, 0xffff), fc.nat(0xffff)),
  {
    minLength: 8,
    maxLength: 8,
  },
);
const ipv6 = groups.map((list) => Uint8Array.from(list.flatMap((group) => [group >> 8, group & 0xff])));
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });

describe('an entry that is the address of the request', () => {
  it('is written in canonical text, with its length before it', () => {
    fc.assert(
      fc.property(fc.oneof(ipv6, ipv4), fc.constantFrom(128, 64, 48, 16), (bytes, ipv6Prefix) => {
        const address = new Address(ipv6Prefix);
        const dynamic = new AckAddressWriter(address);
        address.readBytes(bytes, 0, bytes.length);
        const before = Buffer.from('\0ip:');
        const out = new Uint8Array(before.length + dynamic.maxBytes);
        out.set(before);
        const end = dynamic.write(out, before.length);
        assert.ok(end <= out.length);
        assert.equal(Buffer.from(out.subarray(1, end)).toString(), `ip:${address}`);
        assert.equal(out[0], end - 1);
      }),
      { numRuns: longRuns(20_000) },
    );
  });
});
