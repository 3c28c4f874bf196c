import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/load.ts';
import { configFile, temporaryFolder } from '../support/config-file.ts';

const BACKEND = 'backend: { url: http://127.0.0.1:8787 }\n';

/** A file, and every line that is said about it; `FILE` stands for its path. */
const WRONG: readonly { readonly why: string; readonly yaml: string; readonly lines: readonly string[] }[] = [
  {
    why: 'no backend',
    yaml: '',
    lines: ['FILE:1:1: backend.url: must be set: an http or https URL without user, query or fragment'],
  },
  {
    why: 'a backend without a URL',
    yaml: 'deadlineMs: 40\nbackend: {}\n',
    lines: ['FILE:2:10: backend.url: must be set: an http or https URL without user, query or fragment'],
  },
  ...['ftp://a', 'localhost:8787', 'http://u:p@a', 'http://a/?b', 'http://a/#b', 'http://'].map((url) => ({
    why: `the URL ${url}`,
    yaml: `backend: { url: "${url}" }\n`,
    lines: [`FILE:1:17: backend.url: must be an http or https URL without user, query or fragment, got "${url}"`],
  })),
  {
    why: 'one URL and several',
    yaml: 'backend:\n  url: http://a\n  urls: [http://b]\n',
    lines: ['FILE:3:9: backend.urls: must be omitted if backend.url is set, got ["http://b"]'],
  },
  {
    why: 'no URL beside something else that is wrong',
    yaml: 'backend: { timeoutMs: soon }\n',
    lines: [
      'FILE:1:10: backend.url: must be set: an http or https URL without user, query or fragment',
      'FILE:1:23: backend.timeoutMs: must be a whole number from 1 to 60000, got "soon"',
    ],
  },
  ...(
    [
      ['{ name: feed }', '9', '[0].actions', 'must be set: a list of 1 to 8 actions'],
      ['{ name: feed, actions: [] }', '32', '[0].actions', 'must be a list of 1 to 8 actions, got []'],
      [
        '{ name: feed, actions: [deny, deny] }',
        '32',
        '[0].actions',
        'must be a list without duplicates, got ["deny","deny"]',
      ],
      [
        '{ name: feed, actions: [block] }',
        '33',
        '[0].actions[0]',
        'must be allow, deny, tarpit, drop, redirect, route, tag or log, got "block"',
      ],
      ['{ name: feed, action: [deny] }', '23', '[0].action', 'unknown setting, did you mean actions?'],
      [
        'feed, { name: feed, actions: [deny] }',
        '8',
        '',
        'must be a list without duplicates, got ["feed",{"name":"feed","actions":["deny"]}]',
      ],
    ] as const
  ).map(([lists, column, place, message]) => ({
    why: `lists: [${lists}]`,
    yaml: `${BACKEND}lists: [${lists}]\n`,
    lines: [`FILE:2:${column}: lists${place}: ${message}`],
  })),
  {
    why: 'one of the URLs',
    yaml: 'backend:\n  urls: [x, http://a]\n',
    lines: ['FILE:2:10: backend.urls[0]: must be an http or https URL without user, query or fragment, got "x"'],
  },
  {
    why: 'a URL that is there twice',
    yaml: 'backend:\n  urls: [http://a, http://a/]\n',
    lines: ['FILE:2:9: backend.urls: must be a list without duplicates, got ["http://a","http://a/"]'],
  },
  {
    why: 'an empty list of URLs',
    yaml: 'backend: { urls: [] }\n',
    lines: ['FILE:1:18: backend.urls: must be a list of 1 to 8 http or https URLs, got []'],
  },
  {
    why: 'a way to sign that is none, and a region that is none',
    yaml: 'backend: { url: http://a, auth: aws, region: Frankfurt }\n',
    lines: [
      'FILE:1:33: backend.auth: must be none or iam, got "aws"',
      'FILE:1:46: backend.region: must be a region like eu-central-1, got "Frankfurt"',
    ],
  },
  {
    why: 'signed calls without a region',
    yaml: 'backend:\n  urls: [https://abc.lambda-url.eu-west-1.on.aws, http://127.0.0.1:1]\n  auth: iam\n',
    lines: [
      'FILE:2:3: backend.region: must be set, or AWS_REGION: calls are signed for a region, and http://127.0.0.1:1 does not contain one',
    ],
  },
  {
    why: 'a number out of bounds',
    yaml: `${BACKEND}deadlineMs: 10001\n`,
    lines: ['FILE:2:13: deadlineMs: must be a whole number from 1 to 10000, got 10001'],
  },
  {
    why: 'a number that is a text',
    yaml: 'backend:\n  url: http://a\n  timeoutMs: 2s\n',
    lines: ['FILE:3:14: backend.timeoutMs: must be a whole number from 1 to 60000, got "2s": write 2000'],
  },
  {
    why: 'a broken number',
    yaml: `${BACKEND}cache: { maxEntries: 1.5 }\n`,
    lines: ['FILE:2:22: cache.maxEntries: must be a whole number from 1 to 10000000, got 1.5'],
  },
  {
    why: 'a map that is empty text',
    yaml: `${BACKEND}cache:\n`,
    lines: ['FILE:2:7: cache: must be a map, got nothing'],
  },
  {
    why: 'an unknown key near a known one',
    yaml: `${BACKEND}cache: { maxEntry: 5 }\n`,
    lines: ['FILE:2:10: cache.maxEntry: unknown setting, did you mean maxEntries?'],
  },
  {
    why: 'an unknown key near none',
    yaml: `${BACKEND}log: { colour: blue }\n`,
    lines: ['FILE:2:8: log.colour: unknown setting, expected one of: level'],
  },
  {
    why: 'a key that is there twice',
    yaml: `${BACKEND}deadlineMs: 40\ndeadlineMs: 41\n`,
    lines: ['FILE:3:1: duplicate key'],
  },
  {
    why: 'no YAML',
    yaml: `${BACKEND}lists: [a\ncache: {}\n`,
    lines: [
      'FILE:3:1: not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    why: 'a list instead of a map',
    yaml: '- a\n',
    lines: ['FILE:1:1: must be a map, got ["a"]'],
  },
  {
    why: 'a policy that is none',
    yaml: `${BACKEND}policy: opne\n`,
    lines: ['FILE:2:9: policy: must be open, closed, or a map of reasons with a default, got "opne": write open'],
  },
  {
    why: 'a policy by reason without default and with an unknown reason',
    yaml: `${BACKEND}policy: { timeout: open, backend_eror: closed }\n`,
    lines: [
      'FILE:2:9: policy.default: must be set: open or closed',
      'FILE:2:26: policy.backend_eror: unknown setting, did you mean backend_error?',
    ],
  },
  {
    why: 'a list name in capitals, and one that is there twice',
    yaml: `${BACKEND}lists: [Manual, a, a]\n`,
    lines: [
      'FILE:2:8: lists: must be a list without duplicates, got ["Manual","a","a"]',
      'FILE:2:9: lists[0]: must be a list name (^[a-z0-9][a-z0-9._-]{0,63}$), got "Manual"',
    ],
  },
  ...[
    '9000',
    'tcp://127.0.0.1',
    'tcp://a:65536',
    'tcp://[::g]:1',
    'tcp://::1:1',
    'unix:run/a',
    `unix:/${'a'.repeat(107)}`,
  ].map((address) => ({
    why: `the address ${address}`,
    yaml: `${BACKEND}listen:\n  - "${address}"\n`,
    lines: [
      `FILE:3:5: listen[0]: must be tcp://HOST:PORT, tcp://[IPV6]:PORT, unix:/PATH (at most 107 bytes) or a map with unix, got ${shown(address)}${address === '9000' ? ': write tcp://127.0.0.1:9000' : ''}`,
    ],
  })),
  {
    why: 'a socket with a relative path, a wrong mode and a typo',
    yaml: `${BACKEND}listen:\n  - unix: a.sock\n    mode: 999\n    gruop: haproxy\n`,
    lines: [
      'FILE:3:11: listen[0].unix: must be an absolute path of at most 107 bytes, of A-Z a-z 0-9 _ . / @ : + -, got "a.sock"',
      'FILE:4:11: listen[0].mode: must be three octal digits, each 0, 2, 4 or 6, like 0660, got "999"',
      'FILE:5:5: listen[0].gruop: unknown setting, did you mean group?',
    ],
  },
  {
    why: 'a message name that HAProxy refuses',
    yaml: `${BACKEND}messages: { a b: { subjects: { ip: src } } }\n`,
    lines: ['FILE:2:13: messages.a b: must be 1 to 64 characters of A-Z a-z 0-9 _ . -, got "a b"'],
  },
  {
    why: 'a message without subjects',
    yaml: `${BACKEND}messages: { a: { subjects: {} } }\n`,
    lines: [
      'FILE:2:28: messages.a.subjects: must be a map of at least one kind: a message with arguments only is decided by a script, and `script` is not set',
    ],
  },
  {
    why: 'an unknown kind',
    yaml: `${BACKEND}messages: { a: { subjects: { addr: src } } }\n`,
    lines: [
      'FILE:2:30: messages.a.subjects.addr: must be a kind: ip, host, path, method, country, asn, ua, ja4, key, header.NAME or cookie.NAME, got "addr"',
    ],
  },
  ...['', 'req.hdr(a b)', "str('a')", 'str(\\"a\\")', 'src#', 'src\\nevent x', 'src\\\\', 'req.hdr(é)'].map(
    (expression) => ({
      why: `the expression ${expression}`,
      yaml: `${BACKEND}messages:\n  a:\n    subjects:\n      ip: "${expression}"\n`,
      lines: [
        `FILE:5:11: messages.a.subjects.ip: must be one HAProxy sample expression in ASCII without spaces, quotes, \\ or #, got "${expression}"`,
      ],
    }),
  ),
  ...['a-b', '""', 'a'.repeat(49)].map((prefix) => ({
    why: `the prefix ${prefix}`,
    yaml: `${BACKEND}haproxy:\n  prefix: ${prefix}\n`,
    lines: [
      `FILE:3:11: haproxy.prefix: must be 1 to 48 characters of A-Z a-z 0-9 _ ., got "${prefix.replaceAll('"', '')}"`,
    ],
  })),
  {
    why: 'a HAProxy version nobody wrote the wiring for',
    yaml: `${BACKEND}haproxy: { version: 1.10 }\n`,
    lines: [
      'FILE:2:21: haproxy.version: must be 2.4, 2.5, 2.6, 2.7, 2.8, 2.9, 3.0, 3.1, 3.2, 3.3, 3.4 or 3.5, got "1.10"',
    ],
  },
  {
    why: 'many things at once, in the order of the file',
    yaml: 'log: { level: loud }\ndeadlineMs: 0\nbackend: { url: x }\n',
    lines: [
      'FILE:1:15: log.level: must be trace, debug, info, warn or error, got "loud"',
      'FILE:2:13: deadlineMs: must be a whole number from 1 to 10000, got 0',
      'FILE:3:17: backend.url: must be an http or https URL without user, query or fragment, got "x"',
    ],
  },
];

describe('a wrong configuration file', () => {
  for (const { why, yaml, lines } of WRONG)
    it(`is told exactly: ${why}`, (t) => {
      const file = configFile(t, yaml);
      assert.deepEqual(
        linesAbout(file),
        lines.map((line) => line.replace('FILE', file)),
      );
    });

  it('can be one that does not exist, or a folder', (t: TestContext) => {
    const folder = temporaryFolder(t);
    assert.deepEqual(linesAbout(`${folder}/no.yaml`), [`${folder}/no.yaml: no such file`]);
    assert.deepEqual(linesAbout(folder), [`${folder}: is a directory, not a file`]);
  });

  it('names the settings that are wrong', (t) => {
    const error = errorAbout(configFile(t, 'policy: x\n'));
    assert.deepEqual(error.problems.map(({ setting }) => setting).sort(), ['backend.url', 'policy']);
  });
});

function linesAbout(path: string): string[] {
  return errorAbout(path).message.split('\n');
}

function errorAbout(path: string): ConfigError {
  try {
    loadSettings(path, {});
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return assert.fail('the configuration was taken');
}

function shown(text: string): string {
  return text.length > 78 ? `"${text.slice(0, 76)}...` : `"${text}"`;
}
