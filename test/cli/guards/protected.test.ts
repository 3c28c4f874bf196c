import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { getDomain } from 'tldts';
import { protectedSet } from '../../../cli/guards/protected.ts';
import { SUFFIX_OWNERS } from '../../../cli/guards/public-suffix-owners.ts';
import { ACTIONS } from '../../../contract/actions.ts';
import { formatSubject, parseSubject, SubjectError } from '../../../contract/subject.ts';

const NOTHING = { protected: [], protectPrivate: false };
const problem = (subject: string, settings: object = {}, env: NodeJS.ProcessEnv = {}) =>
  protectedSet({ ...NOTHING, protectPrivate: true, ...settings }, env).problemOf({
    subject: formatSubject(parseSubject(subject)),
    action: 'deny',
  });

describe('the protected set', () => {
  const covered = [
    ['127.0.0.1', /loopback/],
    ['::1', /loopback/],
    ['::/64', /loopback/],
    ['10.0.0.0/8', /private networks/],
    ['172.16.0.0/12', /private networks/],
    ['172.0.0.0/8', /172\.16\.0\.0\/12: private networks/],
    ['192.168.4.0/24', /private networks/],
    ['100.64.0.1', /carrier-grade NAT/],
    ['169.254.169.254', /link-local/],
    ['fd00::/16', /private networks/],
    ['fe80::1', /link-local/],
    ['path:/*', /every request/],
    ['path:/', /front page/],
    ['host:*.example', /top-level domain/],
    ['method:GET', /nearly every request/],
    ['2000::/16', /networks of many holders/],
    ['2a00::/19', /networks of many holders/],
    ['203.0.0.0/8', /networks of many holders/],
    ['2001::/32', /Teredo/],
    ['2002::/16', /6to4/],
    ['2002:a00::/24', /10\.0\.0\.0\/8 as 6to4: private/],
    ['64:ff9b::7f00:1', /NAT64: loopback/],
    ['::7f00:1', /IPv4-compatible address: loopback/],
    ['host:*.co.uk', /public suffix/],
    ['host:*.github.io', /public suffix/],
    ['host:*.kawasaki.jp', /public suffix/],
    ['host:*.foo.ck', /public suffix/],
    ['host:*.公司.cn', /public suffix/],
    ['host:*.amazonaws.com', /hosts of many owners: there are public suffixes below amazonaws\.com/],
    ['host:*.eu-central-1.amazonaws.com', /hosts of many/],
    ['host:*.core.windows.net', /hosts of many/],
    ['host:*.fastly.net', /hosts of many/],
    ['host:*.on.aws', /hosts of many/],
    ['header.connection:keep-alive', /very many requests/],
    ['header.host:shop.example', /very many requests/],
    ['header.accept:*/*', /very many requests/],
  ] as const;
  for (const [subject, why] of covered)
    it(`has ${subject} in it`, () => assert.match(problem(subject) ?? 'nothing', why));

  for (const subject of [
    '203.0.113.0/24',
    '172.15.0.0/16',
    '2001:db8::/32',
    '2a00:1000::/20',
    '203.0.0.0/9',
    '2001:4860::/32',
    '2002:cb00:7100::/40',
    '64:ff9b::808:808',
    'host:*.shop.example',
    'host:*.example.co.uk',
    'host:*.city.kawasaki.jp',
    'host:*.bucket.s3.amazonaws.com',
    'host:bucket.amazonaws.com',
    'host:co.uk',
    'header.x-plan:gold',
    'path:/admin/*',
    'method:TRACE',
    'country:XX',
  ])
    it(`leaves ${subject} alone`, () => assert.equal(problem(subject), undefined));

  it('knows the domain above every public suffix that is not itself right below one', () => {
    const data = createRequire(import.meta.url)('tldts/dist/cjs/src/data/trie.js');
    const options = { allowPrivateDomains: true, extractHostname: false, validateHostname: false };
    const missing = new Set<string>();
    const visit = (node: number, name: string, offsets: readonly number[]) => {
      for (let edge = data.edgeStart[node]; edge < data.edgeStart[node + 1]; edge++) {
        const offset = offsets[edge] as number;
        const label = data.labelText.slice(offset, offset + data.edgeLength[edge]);
        if (data.nodeFlags[node] === 0 && name.includes('.') && !name.includes('*')) {
          const domain = getDomain(name, options) ?? name;
          if (!SUFFIX_OWNERS.has(domain)) missing.add(domain);
        }
        visit(data.edgeChild[edge], name === '' ? label : `${label}.${name}`, offsets);
      }
    };
    let end = 0;
    const offsets = Array.from(data.edgeLength as Uint8Array, (length) => {
      end += length;
      return end - length;
    });
    visit(data.rulesRoot, '', offsets);
    assert.equal(end, data.labelText.length, 'the data is read right');
    assert.deepEqual([...missing], []);
  });

  for (const [typed, becomes] of [
    ['::ffff:198.51.100.9', 'refused'],
    ['::ffff:198.51.100.0/120', 'refused'],
    ['198.51.0.0/17', 'refused'],
    ['198.0.0.0/8', 'refused'],
    ['198.0.0.0/9', 'refused'],
    ['198.51.100.9/32', 'refused'],
    ['0.0.0.0/1', 'no subject'],
    ['::ffff:0:0/96', 'no subject'],
    ['::ffff:c633:6409', 'refused'],
    ['198.051.100.009', 'no subject'],
    ['64:ff9b::c633:6409', 'refused'],
    ['2002:c633:6409::', 'refused'],
    ['2002:c633:6409::/48', 'refused'],
    ['0:0:0:0:0:ffff:198.51.100.9', 'refused'],
    ['host:*.com', 'refused'],
    ['host:*.co.uk', 'refused'],
    ['path:/%2a', 'written'], // a star is a path of its own
    ['path:/?', 'no subject'],
    ['method:get', 'refused'],
    ['method:HEAD', 'refused'],
    ['method:OPTIONS', 'written'],
    ['country:DE', 'written'], // who blocks a country means it
    ['ua:', 'no subject'],
    ['key:', 'no subject'],
    ['host:localhost', 'written'], // no visitor from outside asks for it
    ['127.1', 'no subject'],
    ['0.0.0.0', 'refused'],
    ['10.0.0.0/8', 'refused'],
    ['ip:10.1.2.3', 'refused'],
    ['::/16', 'refused'],
    ['2000::/16', 'refused'],
    ['fe80::/64', 'refused'],
    ['::1', 'refused'],
    ['::2', 'written'], // nobody's
    ['::/64', 'refused'],
  ] as const)
    it(`decides about ${typed}, from 198.51.100.9: ${becomes}`, () => {
      const decided = () =>
        problem(typed, {}, { SSH_CONNECTION: '198.51.100.9 1 198.51.100.1 22' }) === undefined ? 'written' : 'refused';
      if (becomes === 'no subject') assert.throws(decided, SubjectError);
      else assert.equal(decided(), becomes);
    });

  it('has private networks only by choice, and loopback always', () => {
    assert.equal(problem('10.0.0.1', { protectPrivate: false }), undefined);
    assert.match(problem('127.0.0.1', { protectPrivate: false }) ?? '', /loopback/);
  });

  it('has what the configuration names, also where a block is wider or narrower', () => {
    const named = { protected: ['203.0.113.7', '198.51.100.0/24', '2001:db8:1::/48'] };
    for (const subject of [
      '203.0.113.7',
      '203.0.113.0/24',
      '198.51.100.9',
      '198.51.0.0/16',
      '2001:db8:1:2::/64',
      '2001:db8::/32',
    ])
      assert.match(problem(subject, named) ?? '', /blocklist\.protected/);
    for (const subject of ['203.0.113.8', '198.51.101.0/24', '2001:db8:2::/48'])
      assert.equal(problem(subject, named), undefined);
  });

  it('has the address that the caller is logged in from', () => {
    const why = 'deny ip:203.0.113.0/24 would block 203.0.113.9: the address you are logged in from';
    assert.equal(problem('203.0.113.0/24', {}, { SSH_CONNECTION: '203.0.113.9 50022 192.0.2.1 22' }), why);
    assert.equal(
      problem('203.0.113.0/24', {}, { SSH_CLIENT: '::ffff:203.0.113.9 50022 22' }),
      why.replace('203.0.113.9:', '::ffff:203.0.113.9:'),
    );
    assert.match(problem('fe80::/64', NOTHING, { SSH_CLIENT: 'fe80::1%eth0 50022 22' }) ?? '', /logged in from/);
    assert.equal(problem('203.0.113.0/24', {}, { SSH_CONNECTION: 'nonsense' }), undefined);
  });

  it('has every form in which IPv6 stands for an IPv4 address that is in it, and no other address in that form', () => {
    const addresses = fc.tuple(
      fc.integer({ min: 1 << 24, max: 0xffffffff }),
      fc.integer({ min: 1 << 24, max: 0xffffffff }),
    );
    fc.assert(
      fc.property(addresses, ([own, other]) => {
        const [mine, theirs] = [own, other].map((value) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255));
        const set = protectedSet({ protected: [(mine ?? []).join('.')], protectPrivate: false }, {});
        for (const [index, form] of Object.values(FORMS).entries()) {
          const found = (bytes: readonly number[] = []) =>
            set.problemOf({ subject: `ip:${canonical(form(bytes))}`, action: 'deny' })?.includes('blocklist.protected');
          assert.ok(found(mine), `${index} of ${mine}`);
          assert.equal(found(theirs) ?? false, own === other, `${index} of ${theirs} for ${mine}`);
        }
      }),
    );
  });

  it('is about what keeps people out, and nothing else', () => {
    const set = protectedSet({ ...NOTHING, protectPrivate: true }, {});
    const refused = ACTIONS.filter((action) => set.problemOf({ subject: 'ip:10.0.0.1', action }) !== undefined);
    assert.deepEqual(refused, ['deny', 'tarpit', 'drop', 'redirect']);
  });

  it('finds what a comparison of all bits finds', () => {
    fc.assert(
      fc.property(network, network, (one, other) => {
        const set = protectedSet({ protected: [other.text], protectPrivate: false }, {});
        const expected =
          one.family === other.family && (one.bits.startsWith(other.bits) || other.bits.startsWith(one.bits));
        const found = set.problemOf({
          subject: one.text.startsWith('ip:') ? one.text : `ip:${one.text}`,
          action: 'drop',
        });
        const isIt = found?.includes(': blocklist.protected') === true && !found.includes(' as '); // forms: above
        assert.equal(isIt, expected, `${one.text} and ${other.text}`);
      }),
      { numRuns: 3000 },
    );
  });
});

/** IPv6 around the four bytes of an IPv4 address (RFC 3056, 6052, 8215, 4380, 4291, 2765, 5214). */
const FORMS: Readonly<Record<string, (bytes: readonly number[]) => string>> = {
  sixToFour: (bytes) => `2002:${hex(bytes)}::/48`,
  sixToFourHost: (bytes) => `2002:${hex(bytes)}::1`,
  nat64: (bytes) => `64:ff9b::${hex(bytes)}`,
  localNat64: (bytes) => `64:ff9b:1::${hex(bytes)}`,
  teredo: (bytes) => `2001:0:808:808:8000:63bf:${hex(bytes.map((byte) => byte ^ 0xff))}`,
  compatible: (bytes) => `::${hex(bytes)}`,
  translated: (bytes) => `::ffff:0:${hex(bytes)}`,
  isatap: (bytes) => `2a00:1450::5efe:${hex(bytes)}`,
};

function hex(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('hex').replace(/^.{4}/, '$&:');
}

function canonical(text: string): string {
  return parseSubject(`ip:${text}`).value;
}

/** Networks that often lie in each other, with their bits as text. */
const network = fc
  .record({
    family: fc.constantFrom(4, 6),
    head: fc.array(fc.constantFrom(0, 1, 0x20, 0xff), { minLength: 16, maxLength: 16 }),
    prefix: fc.nat(48),
  })
  .map(({ family, head, prefix }) => {
    const length = family === 4 ? 8 + (prefix % 25) : 16 + prefix;
    const bytes = [family === 4 ? 203 : 0x20, ...head.slice(1, family === 4 ? 4 : 16)];
    const bits = bytes
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, length);
    const padded = bits.padEnd(family === 4 ? 32 : 128, '0');
    const groups = padded.match(family === 4 ? /.{8}/g : /.{16}/g) ?? [];
    const text = groups
      .map((group) => Number.parseInt(group, 2).toString(family === 4 ? 10 : 16))
      .join(family === 4 ? '.' : ':');
    return { family, bits, text: parseSubject(`${text}/${length}`).value };
  });
