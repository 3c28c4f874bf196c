import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FormatName } from '../../../cli/formats/formats.ts';
import { type FeedOptions, readFeed } from '../../../cli/formats/read-feed.ts';
import { formatSubject, parseSubject } from '../../../contract/subject.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');

/** Names of others, and a value with which each means something. */
const MEANING: readonly (readonly [name: string, value: unknown])[] = [
  ...['negated', 'negate', 'inverted', 'except', 'excluded', 'exempt', 'allowed', 'allowlisted', 'whitelist'].map(on),
  ...['isWhitelisted', 'false_positive', 'bypass', 'ignore', 'not', 'trusted', 'unblock', 'exclude_exact'].map(on),
  ...['disabled', 'inactive', 'deleted', 'removed', 'revoked', 'retracted', 'expired', 'simulated', 'dry_run'].map(on),
  ...[
    'active',
    'enabled',
    'is_active',
    'valid',
    'listed',
    'blocked',
    'malicious',
    'to_ids',
    'in_force',
    'blacklisted',
  ].map(off),
  ...['range', 'ip_range', 'wildcard', 'netblock', 'network', 'size', 'num_ips', 'count_ips', 'hosts', 'len'].map(
    as('24'),
  ),
  ...['end_ip', 'ip_to', 'last_ip', 'to', 'end', 'second', 'anything', 'até'].map(as('203.0.113.99')),
  ...['verdict', 'decision', 'effect', 'mode', 'operation', 'rule_action'].map(as('pass on')),
  ...['verdict', 'kind', 'label', 'tags', 'state', 'x'].flatMap((name) =>
    [
      'allow',
      'Allowed',
      'white-list',
      'benign',
      'good',
      'negative',
      'not blocked',
      'deleted',
      'DISABLED',
      'exempt',
    ].map(as_(name)),
  ),
  ...['ausnahme', 'erlaubt', 'excepción', 'разрешено', '白名单', '許可', 'white', 'ok', 'known_good', 'trust'].map(on),
  ...['do_not_block', 'no_block', 'not_malicious', 'protected', 'mitigated', 'observe_only', 'detect_only'].map(on),
  ...['enforced', 'enforcement', 'applies', 'in_use', 'is_current', 'true_positive'].map(off),
  ...['active', 'enabled', 'blocked'].flatMap((name) => ['nein', 'non', 'нет', 'aus'].map(as_(name))),
  ...['tags', 'policy', 'category', 'x'].flatMap((name) =>
    ['a,whitelist', 'ALLOW_ALL', 'permit any', 'whitelist entries'].map(as_(name)),
  ),
  ...['end_int', 'ip_num_end', 'start_num'].map(as('3405803785')),
  ...['granularity', 'level', 'x'].map(as('/24')),
  ...['timeout', 'bantime', 'ban_time', 'max_age', 'lease'].map(as('600')),
  ...['regex', 'pattern', 'match_type', 'operator'].map(as('contains')),
  ...['ttl', 'timeout_expires', 'ban_end', 'not_after'].map(as('3600')),
  ...['subnet', 'mask', 'netmask', 'prefix_length', 'cidr', 'bits'].map(as('wide')),
  ...['subnet', 'netmask'].map(as('0.0.0.255')),
];

/** Names that say nothing of the entry, or values that do not. */
const HARMLESS: readonly (readonly [name: string, value: unknown])[] = [
  ...['negated', 'excluded', 'whitelisted', 'disabled', 'deleted'].flatMap((name) =>
    [false, 0, '0', 'false', 'no', '', null, 'N/A'].map(as_(name)),
  ),
  ...['active', 'enabled', 'to_ids', 'malicious'].flatMap((name) => [true, 1, '1', 'yes', null].map(as_(name))),
  ...['subnet', 'mask', 'prefix'].flatMap((name) => [null, '', '32', 32, '/32', '255.255.255.255'].map(as_(name))),
  ...['country', 'asn', 'port', 'protocol', 'malware', 'first_seen', 'date', 'count', 'score', 'note'].map(as('7')),
  ...['comment', 'description', 'reason'].map(as('allow')),
  ...['verdict', 'effect', 'decision'].map(as('BLOCK')),
  ...['second', 'source_ip'].map(as('203.0.113.7')),
  ['match_type', 'exact'],
  ['tags', ['scanner', 'ssh']],
];

describe('a field that nobody reads', () => {
  for (const format of ['json', 'ndjson', 'csv'] as const) {
    it(`is refused by its name where it changes the entry, in ${format}`, async () => {
      for (const [name, value] of MEANING.filter(([, given]) => format !== 'csv' || typeof given !== 'object')) {
        const [line] = await read(format, { ip: '203.0.113.7', [name]: value });
        assert.ok(line !== undefined && 'problem' in line, `${name}: ${JSON.stringify(value)} in ${format}`);
        assert.ok(line.problem.includes(name), line.problem);
      }
    });

    it(`is left alone where it does not, and told, in ${format}`, async () => {
      for (const [name, value] of HARMLESS.filter(([, given]) => format !== 'csv' || typeof given !== 'object')) {
        const [line] = await read(format, { ip: '203.0.113.7', [name]: value });
        assert.ok(line !== undefined && 'entry' in line, `${name}: ${JSON.stringify(value)}: ${JSON.stringify(line)}`);
        assert.equal(line.entry.subject, 'ip:203.0.113.7');
      }
    });
  }

  it('is found in whatever spelling and however deep', async () => {
    const spelled = (text: string) =>
      fc
        .array(fc.constantFrom('', '_', '-', ' ', '.'), { minLength: text.length, maxLength: text.length })
        .chain((signs) =>
          fc
            .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
            .map((upper) =>
              [...text].map((letter, at) => signs[at] + (upper[at] ? letter.toUpperCase() : letter)).join(''),
            ),
        )
        .filter((name) => !name.includes('.')); // which would be two names
    const name = fc.constantFrom('negated', 'whitelisted', 'excluded', 'iprange', 'revoked').chain(spelled);
    await fc.assert(
      fc.asyncProperty(name, fc.array(fc.constantFrom('a', 'meta', '0')), fc.boolean(), async (name, path, isList) => {
        const inner: unknown = isList ? [{ [name]: 1 }] : { [name]: 1 };
        const value = path.reduce((within, step) => ({ [step]: within }), inner);
        const [line] = await read('ndjson', { ip: '203.0.113.7', around: value });
        assert.ok(line !== undefined && 'problem' in line, JSON.stringify(value));
      }),
    );
  });

  it('is left alone by its name if the command says so', async () => {
    const record = { ip: '203.0.113.7', Is_Negated: true, 'end-ip': '203.0.113.9', other: 1 };
    const { lines, feed } = await readAll('ndjson', JSON.stringify(record), { ignore: ['isnegated', 'end ip'] });
    assert.deepEqual(
      [lines, feed.remarks],
      [[{ line: 1, entry: { subject: 'ip:203.0.113.7' } }], ['ignored fields: other']],
    );
  });
});

describe('the length of a network', () => {
  for (const [given, subject] of [
    [{ ip: '203.0.113.0', subnet: 24 }, 'ip:203.0.113.0/24'],
    [{ ip: '203.0.113.0', subnet: '/24' }, 'ip:203.0.113.0/24'],
    [{ address: '198.51.100.0', netmask: '255.255.254.0' }, 'ip:198.51.100.0/23'],
    [{ value: '2001:db8::', Prefix_Length: '32' }, 'ip:2001:db8::/32'],
    [{ ip: '203.0.113.0/24', mask: '24' }, 'ip:203.0.113.0/24'],
    [{ ip: '203.0.113.0', cidr: 24 }, 'ip:203.0.113.0/24'],
    [{ cidr: '203.0.113.0/24' }, 'ip:203.0.113.0/24'],
    [{ ip: '203.0.113.0/24', cidr: '203.0.113.0/24' }, 'ip:203.0.113.0/24'],
    [{ ip: '203.0.113.7', subnet: null }, 'ip:203.0.113.7'],
  ] as const) {
    it(`of ${JSON.stringify(given)} is read`, async () => {
      const [line] = await read('json', given);
      assert.deepEqual(line, { line: 1, entry: { subject } });
    });
  }

  for (const given of [
    { ip: '203.0.113.7', subnet: 24 },
    { ip: '203.0.113.0/25', subnet: 24 },
    { ip: '203.0.113.0', mask: '0.0.0.255' },
    { ip: '203.0.113.0', mask: '255.0.255.0' },
    { ip: '203.0.113.0', prefix: 33 },
    { ip: '203.0.113.0', subnet: 24, mask: 25 },
    { ip: '203.0.113.0', cidr: '203.0.113.0/24' },
    { ip: '203.0.113.0', cidr: '203.0.113.0-203.0.113.9' },
    { ip: '203.0.113.7', value: '203.0.113.8' },
    { value: 'ua:Bot', prefix: 1 },
  ])
    it(`of ${JSON.stringify(given)} is refused`, async () => {
      const [line] = await read('json', given);
      assert.ok(line !== undefined && 'problem' in line, JSON.stringify(line));
    });
});

describe('the first end', () => {
  it('counts, whatever its field is called', async () => {
    const [line] = await read('json', {
      ip: '203.0.113.7',
      expiresAt: 1_900_000_000,
      valid_until: '2026-02-01T00:00:00Z',
      duration: '90d',
    });
    assert.deepEqual(line, { line: 1, entry: { subject: 'ip:203.0.113.7', expiresAt: 1_769_904_000 } });
    const [odd] = await read('json', { ip: '203.0.113.7', expires: 'next week' });
    assert.ok(odd !== undefined && 'problem' in odd && odd.problem.startsWith('expires "next week" is neither'));
  });
});

describe('what stands around the items of a document', () => {
  for (const [format, text] of [
    ['aws-waf', '{"IPSet":{"Addresses":["203.0.113.7/32"],"Negated":true}}'],
    ['aws-waf', '{"Addresses":["203.0.113.7/32"],"Action":"ALLOW"}'],
    ['aws-waf', '{"Addresses":["203.0.113.7/32"],"Name":"whitelist"}'],
    ['json', '{"result":[{"ip":"203.0.113.7"}],"success":false}'],
    ['json', '{"result":[{"ip":"203.0.113.7"}],"mode":"whitelist"}'],
    ['abuseipdb', '{"meta":{"whitelisted":true},"data":[{"ipAddress":"203.0.113.7","abuseConfidenceScore":9}]}'],
  ] as const)
    it(`is refused where it changes them: ${text}`, async () => {
      await assert.rejects(readAll(format, text), /^CliError: written: \S+ "/);
    });

  for (const [format, text] of [
    ['abuseipdb', '{"data":[{"ipAddress":"203.0.113.7","abuseConfidenceScore":9,"isWhitelisted":true}]}'],
    ['spamhaus', '{"cidr":"203.0.113.0/24","sblid":"SBL1","delisted":true}\n{"type":"metadata","records":1}'],
    ['json', '{"result":[{"hostname":{"url_hostname":"a.example","exclude_exact_hostname":true}}]}'],
    ['json', '{"result":[{"ip":"203.0.113.7","mode":"whitelist"}]}'],
    ['crowdsec', '[{"scope":"Ip","value":"203.0.113.7","type":"ban","scenario":"x","simulated":"perhaps"}]'],
    ['crowdsec', '[{"scope":"Ip","value":"203.0.113.7","type":"whitelist","scenario":"x"}]'],
  ] as const)
    it(`an item of it is refused too: ${text}`, async () => {
      const { lines } = await readAll(format, text);
      assert.ok(lines.length > 0 && lines.every((line) => 'problem' in line), JSON.stringify(lines));
    });

  it('makes decisions simulated that belong to a simulated alert', async () => {
    const decision = { scope: 'Ip', value: '203.0.113.7', type: 'ban', scenario: 'x', duration: '4h' };
    const { lines, feed } = await readAll('crowdsec', JSON.stringify([{ simulated: true, decisions: [decision] }]));
    assert.deepEqual([lines, feed.remarks], [[], ['1 simulated decision skipped']]);
  });
});

describe('a value of a map', () => {
  for (const line of [
    '203.0.113.0 24',
    '203.0.113.0 255.255.255.0',
    '203.0.113.4 203.0.113.9',
    '203.0.113.4 - 203.0.113.9',
    '203.0.113.4 0',
    '203.0.113.4 accept',
    '203.0.113.4 whitelisted',
    '203.0.113.4 no',
  ])
    it(`is refused where it is no text: ${line}`, async () => {
      const { lines } = await readAll('haproxy', line);
      assert.ok(lines.length === 1 && lines.every((found) => 'problem' in found), JSON.stringify(lines));
    });

  it('is a reason, and a comment is a note', async () => {
    const text = [
      '203.0.113.1 scanner # ticket 4711',
      '203.0.113.2 # J. Doe',
      '203.0.113.3 // J. Doe',
      '203.0.113.4 ; J. Doe',
      '203.0.113.5#J. Doe',
      '203.0.113.6 deny # J. Doe',
      '203.0.113.7 24',
    ];
    const { lines } = await readAll('haproxy', text.join('\n'));
    assert.deepEqual(
      lines.map((line) => ('entry' in line ? [line.entry.reason, line.entry.note, line.entry.action] : line)),
      [
        ['scanner', 'ticket 4711', undefined],
        [undefined, 'J. Doe', undefined],
        [undefined, 'J. Doe', undefined],
        [undefined, 'J. Doe', undefined],
        [undefined, 'J. Doe', undefined],
        [undefined, 'J. Doe', 'deny'],
        ['24', undefined, undefined],
      ],
    );
  });
});

describe('a heading', () => {
  it('with a column that is there twice is refused', async () => {
    await assert.rejects(readAll('csv', 'ip,reason,IP\n203.0.113.7,x,203.0.113.8\n'), /two columns "ip"/);
  });
});

describe('a row', () => {
  it('that is shorter than the heading is refused: what is missing may have changed it', async () => {
    const { lines } = await readAll('csv', 'ip,negated\n203.0.113.7\n203.0.113.8,\n203.0.113.9,0,\n');
    assert.deepEqual(
      lines.map((line) => ('entry' in line ? line.entry.subject : line.problem)),
      ['has 1 cells, the heading has 2', 'ip:203.0.113.8', 'ip:203.0.113.9'],
    );
  });
});

describe('a list of agents or headers', () => {
  const values = ['a/1 ; +https://bot.example', 'b (x; y) # z', 'c;#', 'd\\ e', 'f # deny', 'x:y ; z'];
  for (const kind of ['ua', 'header.x-agent', 'cookie.a'])
    for (const format of ['plain', 'haproxy'] as const)
      it(`is whole lines of ${kind} in ${format}`, async () => {
        const { lines } = await readAll(format, `# all of them\n${values.join('\n')}\n`, { kind });
        const given = lines.map((line) => ('entry' in line ? line.entry : line));
        assert.deepEqual(
          given,
          values.map((value) => ({ subject: formatSubject(parseSubject(`${kind}:${value}`)) })),
        );
      });
});

function on(name: string) {
  return [name, true] as const;
}

function off(name: string) {
  return [name, false] as const;
}

function as(value: unknown) {
  return (name: string) => [name, value] as const;
}

function as_(name: string) {
  return (value: unknown) => [name, value] as const;
}

async function read(format: 'json' | 'ndjson' | 'csv', record: Readonly<Record<string, unknown>>) {
  const cells = (values: readonly unknown[]) => values.map((value) => `"${value ?? ''}"`).join(',');
  const text = {
    json: () => JSON.stringify([record]),
    ndjson: () => JSON.stringify(record),
    csv: () => `${cells(Object.keys(record))}\n${cells(Object.values(record))}\n`,
  }[format]();
  return (await readAll(format, text)).lines;
}

async function readAll(format: FormatName, text: string, options: Partial<FeedOptions> = {}) {
  const bytes = async function* () {
    yield Buffer.from(text);
  };
  const feed = await readFeed(bytes(), { format, name: 'written', nowMs, ...options });
  return { feed, lines: await Array.fromAsync(feed.lines) };
}
