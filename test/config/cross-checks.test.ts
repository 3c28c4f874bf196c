import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/load.ts';
import { MESSAGE_EVENTS, scopeOf } from '../../haproxy/events.ts';
import {
  ERROR_VARIABLE,
  headerVariable,
  MAX_HEADER_NAME,
  MAX_NAME,
  MAX_VARIABLE,
  PROCESS_TIME_VARIABLE,
  TOTAL_TIME_VARIABLE,
  VARIABLES,
} from '../../haproxy/variables.ts';
import { encodeActions } from '../../spop/ack.ts';
import { configFile } from '../support/config-file.ts';

const BACKEND = 'backend: { url: http://127.0.0.1:8787 }\n';
const IP = 'subjects: { ip: src }';
const LONG = 'x'.repeat(MAX_HEADER_NAME);

/** What is written below the backend, and every line that is said about it without the file. */
const WRONG: readonly (readonly [why: string, yaml: string, lines: readonly string[]])[] = [
  [
    'a list in shadow mode that is not in lists',
    'lists: [manual, feed]\nshadowLists: [feed, fed]\n',
    ['3:21: shadowLists[1]: must be one of lists, manual, feed, got "fed"'],
  ],
  [
    'a list in shadow mode twice',
    'shadowLists: [manual, manual]\n',
    ['2:14: shadowLists: must be a list without duplicates, got ["manual","manual"]'],
  ],
  [
    'a socket whose path a server line of HAProxy does not take',
    `listen: [tcp://127.0.0.1:9000, unix:/${'a'.repeat(97)}]\n`,
    ['2:32: listen[1]: must have at most 97 bytes where HAProxy connects to it, got 98'],
  ],
  [
    'such a socket in the chroot',
    `listen: [unix:/jail/${'a'.repeat(97)}]\nhaproxy: { chroot: /jail }\n`,
    ['2:10: listen[0]: must have at most 97 bytes where HAProxy connects to it, got 98'],
  ],
  [
    'such a socket among the servers',
    `haproxy: { servers: [unix:/${'a'.repeat(97)}] }\n`,
    ['2:22: haproxy.servers[0]: must have at most 97 bytes where HAProxy connects to it, got 98'],
  ],
  [
    'two messages at one event',
    `messages:\n  a: { ${IP} }\n  b: { ${IP} }\n`,
    [
      '4:3: messages.b: must be sent at another event than message a, since both would set the variables of txn: use on-client-session, on-frontend-tcp-request, on-backend-http-request, on-tcp-response, on-http-response or a group',
    ],
  ],
  [
    'messages at two events of one scope',
    `messages:\n  a: { event: on-client-session, ${IP} }\n  b: { event: on-frontend-tcp-request, ${IP} }\n`,
    [
      '4:3: messages.b: must be sent at another event than message a, since both would set the variables of sess: use on-frontend-http-request, on-backend-http-request, on-tcp-response, on-http-response or a group',
    ],
  ],
  [
    'nothing that recentSeconds could apply to',
    `haproxy: { recentSeconds: 2 }\nmessages:\n  a: { subjects: { ip: src, host: req.hdr(host) } }\n  b: { event: on-client-session, ${IP} }\n  c: { event: on-backend-http-request, ${IP} }\n`,
    [
      '2:27: haproxy.recentSeconds: must be 0: no message at on-frontend-http-request or of a group has ip as its only subject, and no arguments',
    ],
  ],
  [
    'recentSeconds for more than addresses',
    `script: ./a.mjs\nhaproxy: { recentSeconds: 2 }\nmessages: { a: { ${IP}, arguments: { q: query } }, b: { group: b, condition: METH_POST, subjects: { host: req.hdr(host) } } }\n`,
    [
      '3:27: haproxy.recentSeconds: must be 0: no message at on-frontend-http-request or of a group has ip as its only subject, and no arguments',
    ],
  ],
  [
    'a condition too long for a line of HAProxy',
    `messages:\n  a: { ${IP}, oddPaths: pass, paths: [/a], hosts: [a.example], policy: { default: open, bad_subject: open }, condition: "{ method PUT } or { method POST } or { method GET }" }\n`,
    [
      '3:137: messages.a.condition: must be shorter: with paths and hosts it takes 126 words of a line, the limit is 58',
    ],
  ],
  [
    'paths of a group in mode tcp',
    'messages: { a: { group: g, paths: [/a], subjects: { host: req.ssl_sni } } }\n',
    [
      '2:35: messages.a.paths: must be omitted in a group for mode tcp, where HAProxy has no paths; use paths with on-frontend-http-request, on-backend-http-request or a group',
    ],
  ],
  [
    'two messages by one group',
    `messages:\n  a: { group: g, ${IP} }\n  b: { group: g, ${IP} }\n`,
    ['4:3: messages.b: must have a group of its own: message a uses g already'],
  ],
  [
    'more headers than answers about a connection can unset',
    `haproxy: { requestHeaders: [${Array.from({ length: 16 }, (_, index) => `x-h-${index}`).join()}] }\nmessages: { a: { event: on-client-session, ${IP} } }\n`,
    [
      '2:28: haproxy.requestHeaders: must have fewer or shorter names if a message (a) is about a connection: unsetting them all takes 956 bytes, the limit is 600',
    ],
  ],
  [
    'a closed group of which nobody knows when it must be asked',
    `policy: closed\nmessages:\n  a: { group: g, ${IP} }\n`,
    [
      '4:6: messages.a.condition: must be set for a group under policy closed, or paths or hosts: they select the requests that are checked, and all others pass',
    ],
  ],
  ...(
    [
      ['{ path_beg /admin }', 'path_beg'],
      ['METH_POST { hdr_dom(host) example } or { src 10.0.0.0/8 }', 'hdr_dom(host)'],
      ['!{ url,lower -m beg /x }', 'url,lower'],
      ['{ ssl_fc_sni admin.example }', 'ssl_fc_sni'],
    ] as const
  ).map(
    ([condition, raw]) =>
      [
        `the condition ${condition}`,
        `messages: { a: { condition: "${condition}", ${IP} } }\n`,
        [
          `2:29: messages.a.condition: must not read path, URL or Host as the client spells them, got ${raw}: use paths: [/admin/*] or hosts: [admin.example] in this message, which match every spelling`,
        ],
      ] as const,
  ),
  [
    'paths of a connection',
    `messages: { a: { event: on-client-session, paths: [/a], ${IP} } }\n`,
    [
      '2:51: messages.a.paths: must be omitted at on-client-session, where HAProxy has no paths; use paths with on-frontend-http-request, on-backend-http-request or a group',
    ],
  ],
  ...['a', '/a*b', '/a;b', '/a%2fb', '/a?b', '/a%5Cb', ''].map(
    (path) =>
      [
        `the path ${path}`,
        `messages: { a: { paths: ["${path}"], ${IP} } }\n`,
        [`2:26: messages.a.paths[0]: must be a path like /login or /admin/*, got "${path}"`],
      ] as const,
  ),
  ...['a b', '*', 'a..b', 'a@b', 'shop.*'].map(
    (host) =>
      [
        `the host ${host}`,
        `messages: { a: { hosts: ["${host}"], ${IP} } }\n`,
        [`2:26: messages.a.hosts[0]: must be a host like admin.example or *.internal.example, got "${host}"`],
      ] as const,
  ),
  [
    'an argument in the place of the cookies',
    `script: ./script.mjs\nmessages: { a: { subjects: { cookie.s: req.cook(s) }, arguments: { cookie: src } } }\n`,
    [
      '3:76: messages.a.arguments.cookie: must be req.fhdr(cookie) or have another name: the wiring uses cookie for that if a cookie is a subject',
    ],
  ],
  [
    'a group with an event',
    `messages:\n  a: { group: g, event: on-client-session, condition: "TRUE", ${IP} }\n`,
    ['3:15: messages.a.group: must be omitted if event is set, got "g"'],
  ],
  ...['if { src 10.0.0.1 }', 'unless TRUE', "{ src '::1' }", ' ', 'a #', '{ path /ä }'].map(
    (condition) =>
      [
        `the condition ${condition}`,
        `messages: { a: { condition: "${condition}", ${IP} } }\n`,
        [
          `2:29: messages.a.condition: must be one line of ASCII without a leading if, quotes, \\ or #, like { method POST }, got "${condition}"`,
        ],
      ] as const,
  ),
  [
    'an event that is none',
    `messages: { a: { event: on-response, ${IP} } }\n`,
    [
      '2:25: messages.a.event: must be on-client-session, on-frontend-tcp-request, on-frontend-http-request, on-backend-http-request, on-tcp-response or on-http-response, got "on-response"',
    ],
  ],
  [
    'arguments without subjects and without a script',
    'messages: { a: { arguments: { user: req.fhdr(user) } } }\n',
    [
      '2:16: messages.a.subjects: must be a map of at least one kind: a message with arguments only is decided by a script, and `script` is not set',
    ],
  ],
  [
    'an argument with the name of a subject',
    'messages: { a: { subjects: { ip: src, host: hdr(host) }, arguments: { ip: dst, host: hdr(x) } } }\n',
    [
      '2:71: messages.a.arguments.ip: must have another name: ip is a subject of this message, and the script receives it anyway',
      '2:80: messages.a.arguments.host: must have another name: host is a subject of this message, and the script receives it anyway',
    ],
  ],
  [
    'a prefix that leaves no room for a header',
    `haproxy:\n  prefix: ${'p'.repeat(19)}\n  requestHeaders: [${LONG}]\n`,
    [
      `3:11: haproxy.prefix: must have at most 18 characters, so that txn.PREFIX.req.set.${LONG} has at most 63, got "${'p'.repeat(19)}"`,
    ],
  ],
  [
    'a prefix that leaves no room for a group',
    `haproxy: { prefix: ${'p'.repeat(40)} }\nmessages: { a: { group: twelve_chars, ${IP} } }\n`,
    [
      `2:20: haproxy.prefix: must have at most 37 characters, so that txn.PREFIX.twelve_chars.location has at most 63, got "${'p'.repeat(40)}"`,
    ],
  ],
  [
    'a prefix that leaves no room in a longer scope',
    `haproxy: { prefix: ${'p'.repeat(18)}, responseHeaders: [${LONG}] }\nmessages: { a: { event: on-client-session, ${IP} } }\n`,
    [
      `2:20: haproxy.prefix: must have at most 17 characters, so that sess.PREFIX.res.set.${LONG} has at most 63, got "${'p'.repeat(18)}"`,
    ],
  ],
  [
    'a group and a header that are too long for each other',
    `haproxy: { requestHeaders: [${'x'.repeat(28)}] }\nmessages: { a: { group: login, ${IP} } }\n`,
    [
      `3:25: messages.a.group: must be shorter, or the header name: login.req.set.${'x'.repeat(28)} has 42 characters, the limit is 40`,
    ],
  ],
  ...['content-length', 'Host', 'x y', 'x_y', `${LONG}x`, ''].map(
    (header) =>
      [
        `the header ${header}`,
        `haproxy: { requestHeaders: ["${header}"] }\n`,
        [
          `2:29: haproxy.requestHeaders[0]: must be a header name of at most 32 letters, digits and dashes that HAProxy does not manage itself, got "${header}"`,
        ],
      ] as const,
  ),
  [
    'a header twice in another case, and a backend twice',
    'haproxy: { responseHeaders: [Server, server], backends: [blue, blue] }\n',
    [
      '2:29: haproxy.responseHeaders: must be a list without duplicates, got ["Server","server"]',
      '2:57: haproxy.backends: must be a list without duplicates, got ["blue","blue"]',
    ],
  ],
  [
    'a page for a status that no deny has, and one at a relative path',
    'haproxy: { denyPages: { 418: { file: /a }, 403: { file: a.html } } }\n',
    [
      '2:25: haproxy.denyPages.418: must be one of 400, 401, 403, 404, 405, 408, 410, 413, 429, 451, 500, 502, 503, 504, got "418"',
      '2:57: haproxy.denyPages.403.file: must be an absolute ASCII path without spaces, quotes, \\ or #, got "a.html"',
    ],
  ],
  [
    'a script that is not a module',
    'script: ./script.py\n',
    ['2:9: script: must be the path of a module, like ./script.mjs, got "./script.py"'],
  ],
  [
    'a shadow that is not a boolean',
    `messages: { a: { shadow: yes, ${IP} } }\n`,
    ['2:26: messages.a.shadow: must be true or false, got "yes": write true'],
  ],
];

describe('settings that do not go together', () => {
  for (const [why, yaml, lines] of WRONG)
    it(`are told exactly: ${why}`, (t) => {
      const file = configFile(t, BACKEND + yaml);
      assert.deepEqual(
        linesAbout(file),
        lines.map((line) => `${file}:${line}`),
      );
    });
});

describe('the longest name of a variable', () => {
  it('is what the agent encodes and HAProxy builds, with the longest prefix that is taken', (t) => {
    const header = headerVariable('req', 'set', LONG);
    assert.equal(header.length, MAX_NAME);
    const set = (name: string) =>
      encodeActions([{ type: 'set-var', scope: 'txn', name, value: { type: 'string', value: '' } }]);
    assert.ok(set(header));
    assert.throws(() => set(`${header}x`), TypeError);

    const prefixFor = (yaml: string) => longestPrefix(t, yaml);
    assert.equal(prefixFor(''), MAX_VARIABLE - 'txn..process_ms'.length);
    assert.equal(prefixFor(`haproxy.requestHeaders: [${LONG}]`), MAX_VARIABLE - `txn..${header}`.length);
  });

  it('is none of the usual names, whatever the scope', () => {
    const names = [...Object.values(VARIABLES), ERROR_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE];
    for (const scope of MESSAGE_EVENTS.map(scopeOf))
      for (const name of names) assert.ok(`${scope}.haverdict.${name}`.length < 30);
  });
});

/** How long a prefix may be beside this line of the haproxy settings. */
function longestPrefix(t: TestContext, line: string): number {
  const rest = line.replace('haproxy.', '  ');
  for (let length = MAX_VARIABLE; length > 0; length--) {
    const file = configFile(t, `${BACKEND}haproxy:\n  prefix: ${'p'.repeat(length)}\n${rest}\n`);
    if (linesAbout(file).length === 0) return length;
  }
  return 0;
}

function linesAbout(path: string): string[] {
  try {
    loadSettings(path, {});
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}
