import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { loadSettings } from '../../config/load.ts';
import { configFile } from '../support/config-file.ts';

const BACKEND = 'backend: { url: http://127.0.0.1:8787 }\n';

describe('loadSettings', () => {
  it('needs nothing but the URL of the backend', (t) => {
    assert.deepEqual(loadSettings(configFile(t, BACKEND), {}), {
      listen: [{ type: 'unix', path: '/run/haverdict/agent.sock', group: 'haproxy' }],
      backend: {
        targets: [{ url: 'http://127.0.0.1:8787' }],
        auth: 'none',
        timeoutMs: 2000,
        maxConcurrent: 32,
        maxCallsPerSecond: 500,
        maxKeysPerSecond: 2000,
        degradedPercent: 5,
        batch: { windowMs: 1, maxSubjects: 100 },
      },
      deadlineMs: 40,
      policy: { default: 'open' },
      lists: ['manual'],
      shadowLists: [],
      listActions: {},
      ipv6Prefix: 128,
      cache: {
        maxEntries: 1_000_000,
        allowTtlSeconds: 60,
        denyTtlSeconds: 300,
        policyTtlSeconds: 1,
        fileMaxAgeSeconds: 3600,
      },
      messages: [
        {
          name: 'check-request',
          event: 'on-frontend-http-request',
          subjects: [{ kind: 'ip', expression: 'src' }],
          required: [],
          oddPaths: 'refuse',
          arguments: [],
          policy: { default: 'open' },
          shadow: false,
        },
      ],
      stale: { ifErrorSeconds: 600, revalidateSeconds: 5 },
      updates: { mode: 'off', pollMs: 1000, maxEntries: 2_000_000, ifErrorSeconds: 86_400 },
      workers: 1,
      memory: { heapMegabytes: 128 },
      haproxy: {
        prefix: 'haverdict',
        servers: [],
        version: '2.6',
        actions: [],
        backends: [],
        requestHeaders: [],
        responseHeaders: [],
        bodyContentType: 'text/plain; charset=utf-8',
        denyStatuses: [403],
        denyPages: [],
        recentSeconds: 0,
        recentAddresses: 100_000,
        recentStickCounter: 2,
      },
      admin: {},
      log: { level: 'info' },
    });
  });

  it('takes every form of an address', (t) => {
    const { listen } = loadSettings(
      configFile(
        t,
        `${BACKEND}listen:
  - tcp://[::1]:0
  - tcp://agent.example:65535
  - unix:/run/a.sock
  - { unix: /run/b.sock, mode: 0660, owner: 1000, group: haproxy }
`,
      ),
      {},
    );
    assert.deepEqual(listen, [
      { type: 'tcp', host: '::1', port: 0 },
      { type: 'tcp', host: 'agent.example', port: 65_535 },
      { type: 'unix', path: '/run/a.sock' },
      { type: 'unix', path: '/run/b.sock', mode: 0o660, owner: '1000', group: 'haproxy' },
    ]);
  });

  it('keeps the order of subjects and lists, which is their precedence', (t) => {
    const { lists, messages } = loadSettings(
      configFile(
        t,
        `${BACKEND}lists: [z, a]
messages:
  m:
    subjects: { host: 'req.hdr(host),field(1,:),lower', ip: src, header.x-api-key: req.hdr(x-api-key) }
`,
      ),
      {},
    );
    assert.deepEqual(lists, ['z', 'a']);
    assert.deepEqual(messages[0]?.subjects, [
      { kind: 'host', expression: 'req.hdr(host),field(1,:),lower' },
      { kind: 'ip', expression: 'src' },
      { kind: 'header.x-api-key', expression: 'req.hdr(x-api-key)' },
    ]);
  });

  it('gives a message its own policy, and the global one where it has none', (t) => {
    const message = (policy: string) => `messages: { m: { subjects: { ip: src }${policy} } }\n`;
    const policyOf = (yaml: string) => loadSettings(configFile(t, BACKEND + yaml), {}).messages[0]?.policy;
    assert.deepEqual(policyOf(`policy: { timeout: open, default: closed }\n${message('')}`), {
      timeout: 'open',
      default: 'closed',
    });
    assert.deepEqual(policyOf(`policy: { timeout: open, default: closed }\n${message(', policy: closed')}`), {
      default: 'closed',
    });
  });

  for (const [written, version] of [
    ['2.6', '2.6'],
    ['3.0', '3.0'],
    ['"3.0"', '3.0'],
  ] as const)
    it(`takes the version ${written} as it is written`, (t) => {
      const settings = loadSettings(configFile(t, `${BACKEND}haproxy: { version: ${written} }\n`), {});
      assert.equal(settings.haproxy.version, version);
    });

  it('takes off the slash at the end of the URL', (t) => {
    const file = configFile(t, 'backend: { url: https://abc.lambda-url.eu-central-1.on.aws/, auth: none }\n');
    assert.deepEqual(loadSettings(file, {}).backend.targets, [{ url: 'https://abc.lambda-url.eu-central-1.on.aws' }]);
  });

  it('takes several URLs in their order', (t) => {
    const { backend } = loadSettings(configFile(t, 'backend: { urls: [http://b/, http://a] }\n'), {});
    assert.deepEqual(backend.targets, [{ url: 'http://b' }, { url: 'http://a' }]);
  });

  const FRANKFURT = 'https://abc.lambda-url.eu-central-1.on.aws';
  const IRELAND = 'https://def.lambda-url.eu-west-1.on.aws';
  const OWN = 'https://blocklist.example';

  for (const { what, yaml, env = {}, regions } of [
    { what: 'none without signing', yaml: `{ url: ${OWN} }`, env: { AWS_REGION: 'us-east-1' }, regions: [undefined] },
    { what: 'that of a function URL', yaml: `{ url: ${FRANKFURT}, auth: iam }`, regions: ['eu-central-1'] },
    {
      what: 'that of each function URL, whatever the others',
      yaml: `{ urls: [${FRANKFURT}, ${IRELAND}, ${OWN}], auth: iam, region: us-east-1 }`,
      env: { AWS_REGION: 'us-east-2' },
      regions: ['eu-central-1', 'eu-west-1', 'us-east-1'],
    },
    {
      what: 'that of the environment where nothing else says it',
      yaml: `{ url: ${OWN}, auth: iam }`,
      env: { AWS_REGION: 'us-gov-west-1' },
      regions: ['us-gov-west-1'],
    },
    {
      what: 'that of the setting where the URL only looks like one of AWS',
      yaml: `{ url: https://abc.lambda-url.eu-west-1.on.aws.example, auth: iam, region: us-east-1 }`,
      regions: ['us-east-1'],
    },
  ])
    it(`signs for a region: ${what}`, (t) => {
      const { backend } = loadSettings(configFile(t, `backend: ${yaml}\n`), env);
      assert.deepEqual(
        backend.targets.map(({ region }) => region),
        regions,
      );
    });

  it('takes a message at an event, one by a group, and what each has of its own', (t) => {
    const { messages } = loadSettings(
      configFile(
        t,
        `${BACKEND}script: ./script.mjs
messages:
  at-login:
    group: login
    arguments: { user: 'req.fhdr(x-user)' }
  at-connect:
    event: on-client-session
    condition: '{ src 10.0.0.0/8 } || { src 192.0.2.0/24 }'
    subjects: { ip: src }
    policy: closed
    shadow: true
`,
      ),
      {},
    );
    assert.deepEqual(messages, [
      {
        name: 'at-login',
        group: 'login',
        subjects: [],
        required: [],
        oddPaths: 'refuse',
        arguments: [{ name: 'user', expression: 'req.fhdr(x-user)' }],
        policy: { default: 'open' },
        shadow: false,
      },
      {
        name: 'at-connect',
        event: 'on-client-session',
        condition: '{ src 10.0.0.0/8 } || { src 192.0.2.0/24 }',
        subjects: [{ kind: 'ip', expression: 'src' }],
        required: [],
        oddPaths: 'refuse',
        arguments: [],
        policy: { default: 'closed' },
        shadow: true,
      },
    ]);
  });

  it('takes one message a scope and one a group beside each other', (t) => {
    const { messages } = loadSettings(
      configFile(
        t,
        `${BACKEND}messages:
  a: { event: on-client-session, subjects: { ip: src } }
  b: { subjects: { ip: src } }
  c: { event: on-backend-http-request, subjects: { ip: src } }
  d: { event: on-http-response, subjects: { ip: src } }
  e: { group: txn, subjects: { ip: src } }
  f: { group: res, subjects: { ip: src } }
`,
      ),
      {},
    );
    assert.equal(messages.length, 6);
  });

  it('resolves the script from the folder of the file', (t) => {
    const scriptOf = (yaml: string) => {
      const file = configFile(t, BACKEND + yaml);
      return loadSettings(file, {}).script?.replace(dirname(file), 'FOLDER');
    };
    assert.equal(scriptOf('script: ./script.mjs\n'), 'FOLDER/script.mjs');
    assert.equal(scriptOf('script: /etc/haverdict/script.js\n'), '/etc/haverdict/script.js');
    assert.equal(scriptOf(''), undefined);
  });

  it('takes pages that are not on the machine that checks', (t) => {
    const yaml =
      'haproxy: { denyPages: { 403: { file: /nowhere/403.html }, "503": { file: /nowhere/503.txt, contentType: text/plain } } }\n';
    assert.deepEqual(loadSettings(configFile(t, BACKEND + yaml), {}).haproxy.denyPages, [
      { status: 403, file: '/nowhere/403.html', contentType: 'text/html; charset=utf-8' },
      { status: 503, file: '/nowhere/503.txt', contentType: 'text/plain' },
    ]);
  });

  it('cannot be changed afterwards', (t) => {
    const settings = loadSettings(configFile(t, BACKEND), {});
    assert.throws(() => Object.assign(settings.cache, { maxEntries: 1 }), TypeError);
    assert.throws(() => Object.assign(settings.messages[0]?.subjects ?? {}, { 0: undefined }), TypeError);
  });
});
