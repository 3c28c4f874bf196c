import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openBackend } from '../../../agent/backend/backend.ts';
import { HandClock } from '../../support/clock.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const SUBJECT = 'ip:198.51.100.1';
const NOWHERE = 'http://127.0.0.1:1';
const TIMES = { firstMs: 0, checkMs: 0, clockAheadSeconds: 0 };

describe('the backend of the settings', () => {
  it('is one function, asked without a signature', async (t) => {
    const { url, keys } = await listeningFunction(t);
    const { backend, lines } = await opened(t, [{ url }]);
    assert.deepEqual((await backend.check([SUBJECT])).lookups, [{ entry: null }]);
    assert.deepEqual({ keys, lines }, { keys: ['none'], lines: [] });
  });

  it('is several functions, and the log says which of them is down and up again', async (t) => {
    const { url, keys } = await listeningFunction(t);
    const { backend, lines } = await opened(t, [{ url: NOWHERE }, { url }]);
    for (let call = 0; call < 3; call++) await backend.check([SUBJECT]);
    assert.equal(keys.length, 3);
    assert.deepEqual(lines, [
      {
        url: NOWHERE,
        error: 'backend: connect ECONNREFUSED 127.0.0.1:1',
        message: 'backend is down: failing over to the next one',
      },
    ]);
  });

  it('tells of the failure of a call once when all of several fail', async (t) => {
    const { backend, lines, counted } = await opened(t, [{ url: NOWHERE }, { url: 'http://127.0.0.1:2' }]);
    for (let call = 0; call < 3; call++) await assert.rejects(backend.check([SUBJECT]), /ECONNREFUSED/);
    assert.deepEqual(counted, Array(3).fill(['unreachable', 'called 1']).flat());
    assert.deepEqual(
      lines.map(({ message }) => message),
      [
        'backend is down: failing over to the next one',
        'backend is down: failing over to the next one',
        'backend call failed',
      ],
    );
  });

  it('says what it finds when it asks each function by itself, and tells nobody of calls that fail', async (t) => {
    const { url } = await listeningFunction(t);
    const port = new URL(url).port;
    const { backend, lines } = await opened(t, [{ url }, { url: NOWHERE }, { url: `http://localhost:${port}` }]);
    const [one, nowhere, named] = await backend.checkAtStartup();
    assert.ok(one !== undefined && Number(one.firstMs) >= 0 && Number(one.checkMs) >= 0);
    assert.deepEqual({ ...one, firstMs: 0, checkMs: 0, clockAheadSeconds: 0 }, { url, ...TIMES });
    assert.deepEqual(nowhere, { url: NOWHERE, error: 'backend: connect ECONNREFUSED 127.0.0.1:1' });
    assert.ok(named?.addresses?.includes('127.0.0.1'));
    assert.deepEqual(lines, []);
  });

  it('says until when the credentials are valid that a call was signed with, or why there are none', async (t) => {
    const profile = profileOf(t);
    profile.gives('ASIAFIRST');
    const { url } = await listeningFunction(t);
    const { backend } = await opened(t, [{ url, region: 'eu-central-1' }]);
    const [finding] = await backend.checkAtStartup();
    assert.equal(finding?.region, 'eu-central-1');
    assert.match(finding?.credentials ?? '', /^valid/);
    profile.fails();
    const without = await opened(t, [{ url, region: 'eu-central-1' }]);
    const [none] = await without.backend.checkAtStartup();
    assert.match(none?.error ?? '', /no AWS credentials/);
    assert.equal(none?.credentials, undefined);
  });

  it('says when the name of a function cannot be resolved, and how far the clocks are apart', async (t) => {
    const { backend } = await opened(t, [{ url: 'http://no-such-host.invalid' }]);
    const [finding] = await backend.checkAtStartup();
    assert.match(finding?.error ?? '', /^backend: the name no-such-host\.invalid cannot be resolved: E/);
    const { url } = await listeningFunction(t);
    const { backend: other, clock } = await opened(t, [{ url }]);
    const [found] = await other.checkAtStartup();
    const aheadSeconds = (clock.epochMs() - Date.now()) / 1000;
    assert.ok(Math.abs((found?.clockAheadSeconds ?? 0) - aheadSeconds) < 60);
  });

  it('signs with what the helper of the profile gives, and with what it gives later', async (t) => {
    const profile = profileOf(t);
    profile.gives('ASIAFIRST');
    const { url, keys, regions } = await listeningFunction(t);
    const { backend, clock, lines } = await opened(t, [{ url, region: 'eu-central-1' }]);
    await backend.check([SUBJECT]);
    profile.gives('ASIASECOND');
    await backend.check([SUBJECT]);
    clock.advance(5 * 60_000);
    for (let call = 0; call < 100 && keys.at(-1) !== 'ASIASECOND'; call++) await backend.check([SUBJECT]);
    assert.deepEqual([...new Set(keys)], ['ASIAFIRST', 'ASIASECOND']);
    assert.deepEqual([...new Set(regions)], ['eu-central-1']);
    assert.deepEqual(lines, []);
  });

  it('reads the keys in a file again after five minutes', async (t) => {
    const profile = profileOf(t);
    profile.hasKey('AKIAFIRST');
    const { url, keys } = await listeningFunction(t);
    const { backend, clock } = await opened(t, [{ url, region: 'eu-central-1' }]);
    await backend.check([SUBJECT]);
    profile.hasKey('AKIASECOND');
    clock.advance(5 * 60_000);
    for (let call = 0; call < 100 && keys.at(-1) !== 'AKIASECOND'; call++) await backend.check([SUBJECT]);
    assert.deepEqual([...new Set(keys)], ['AKIAFIRST', 'AKIASECOND']);
  });

  it('opens without credentials, says so once, and has them when the helper does', async (t) => {
    const profile = profileOf(t);
    profile.fails();
    const { url, keys } = await listeningFunction(t);
    const { backend, clock, lines } = await opened(t, [{ url, region: 'eu-central-1' }]);
    for (let call = 0; call < 3; call++) await assert.rejects(backend.check([SUBJECT]), /no AWS credentials/);
    assert.match(
      lines[0]?.error ?? '',
      /^no AWS credentials: credential_process failed: the certificate has expired; .*Metadata Service access disabled$/,
    );
    profile.gives('ASIALATE');
    clock.advance(10_000);
    await backend.check([SUBJECT]);
    assert.deepEqual(keys, ['ASIALATE']);
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['cannot sign calls to the backend', 'backend call failed', 'AWS credentials are available again'],
    );
  });

  it('names the one who was meant to have credentials and does not', async (t) => {
    const profile = profileOf(t);
    profile.hasToken('/no/such/token');
    const { backend, lines } = await opened(t, [{ url: NOWHERE, region: 'eu-central-1' }]);
    await assert.rejects(backend.check([SUBJECT]), /no AWS credentials: ENOENT.*token/);
    assert.equal(lines.length, 2);
  });

  it('signs for each function with its own region', async (t) => {
    profileOf(t).gives('ASIAFIRST');
    const first = await listeningFunction(t, 500);
    const second = await listeningFunction(t);
    const { backend } = await opened(t, [
      { url: first.url, region: 'eu-central-1' },
      { url: second.url, region: 'eu-west-1' },
    ]);
    await backend.check([SUBJECT]);
    assert.deepEqual([first.regions, second.regions], [['eu-central-1'], ['eu-west-1']]);
  });
});

async function opened(t: TestContext, targets: readonly { url: string; region?: string }[]) {
  const lines: { message: string; error?: string }[] = [];
  const note = (fields: object, message: string) => void lines.push({ ...fields, message });
  const counted: string[] = [];
  const clock = new HandClock();
  const settings = { targets, timeoutMs: 5000, maxConcurrent: 2 };
  const backend = await openBackend(
    settings,
    { lists: ['manual'], shadowLists: [], listActions: {} },
    { error: note, warn: note, info: note },
    clock,
    {
      gotCredentials() {},
      notCounted() {},
      called: (subjects) => void counted.push(`called ${subjects}`),
      callFailed: (fault) => void counted.push(fault),
    },
  );
  t.after(() => backend.close());
  return { backend, lines, clock, counted };
}

/** A function that says whose signature each call had, and for which region. */
async function listeningFunction(t: TestContext, status = 200) {
  const keys: string[] = [];
  const regions: string[] = [];
  const server = createServer((request, response) => {
    const [, key, region] = /Credential=(\w+)\/\d+\/([^/]+)/.exec(request.headers.authorization ?? '') ?? [];
    keys.push(key ?? 'none');
    regions.push(region ?? 'none');
    response.statusCode = status;
    request.toArray().then((chunks) => {
      const { subjects = [] } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { subjects?: string[] };
      response.end(JSON.stringify({ verdicts: subjects.map((subject) => ({ subject, entry: null })), ttl: 60 }));
    });
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens
  return { url: `http://127.0.0.1:${port}`, keys, regions };
}

/** The profile of this host. Its credentials come from a program, as from the helper of IAM Roles Anywhere, or a file. */
function profileOf(t: TestContext) {
  const folder = temporaryFolder(t);
  const helper = join(folder, 'helper');
  const config = join(folder, 'config');
  writeFileSync(config, `[profile haverdict]\ncredential_process = ${helper}\n`);
  const environment = {
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    AWS_PROFILE: 'haverdict',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const before = { ...process.env };
  Object.assign(process.env, environment);
  t.after(() => {
    for (const name of [...Object.keys(environment), 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
  const write = (script: string) => {
    writeFileSync(helper, `#!/bin/sh\n${script}\n`);
    chmodSync(helper, 0o700);
  };
  return {
    hasKey: (key: string) =>
      writeFileSync(config, `[profile haverdict]\naws_access_key_id = ${key}\naws_secret_access_key = s\n`),
    hasToken: (file: string) => {
      writeFileSync(config, '');
      Object.assign(process.env, { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: 'arn:aws:iam::1:role/r' });
    },
    fails: () => write('echo "the certificate has expired" >&2; exit 1'),
    gives: (AccessKeyId: string) =>
      write(`echo '${JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey: 's', SessionToken: 't' })}'`),
  };
}
