import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AGENT_CHECKS } from '../../../cli/conformance/check-as-agent.ts';
import { CHECKS } from '../../../cli/conformance/checks.ts';
import { FunctionUrl } from '../../../dev/local-cloud/function-url.ts';
import { verify } from '../../../dev/local-cloud/sigv4-verifier.ts';
import { createHandler } from '../../../functions/check/handler.ts';
import { brokenBackend, LISTED } from '../../support/broken-backend.ts';
import { configFile, temporaryFolder } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { runAround, runOnTable } from '../../support/haverdict-on-table.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { refusalOf } from '../../support/refusal.ts';

const FILE_BACKEND = fileURLToPath(import.meta.resolve('../../../docs/guides/file-backend.mjs'));
const NOWHERE = 'http://127.0.0.1:1';

describe('haverdict check-backend', () => {
  it('prints a line for each check and ends with 0 when all is well', async (t) => {
    const url = await brokenBackend(t, () => undefined);
    const { status, stdout, stderr } = await runOnTable(
      NOWHERE,
      'check-backend',
      url,
      '--listed',
      LISTED,
      '--calls',
      '5',
    );
    assert.deepEqual([status, stderr], [0, '']);
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, Object.keys(CHECKS).length);
    assert.ok(
      lines.every((line) => /^ok +[a-z0-9-]+ +\S/.test(line)),
      stdout,
    );
    assert.match(stdout, /\nok {7}latency {12}p50 [\d.]+ ms, p99 [\d.]+ ms of 5 calls\n/);
  });

  it('ends with 1 and names what failed', async (t) => {
    const url = await brokenBackend(t, ({ path }) => (path === '/v1/health' ? { status: 500 } : undefined));
    const { status, stdout, stderr } = await runOnTable(NOWHERE, 'check-backend', url, '--calls', '5', '--json');
    assert.deepEqual([status, stderr], [1, `haverdict: 1 of ${Object.keys(CHECKS).length} checks failed: health\n`]);
    const results: { name: string; state: string; why: string }[] = JSON.parse(stdout);
    assert.deepEqual(
      results.filter(({ state }) => state !== 'ok').map(({ name, state }) => [name, state]),
      [
        ['health', 'failed'],
        ['listed', 'skipped'],
      ],
    );
  });

  for (const [what, args, message] of [
    ['an invalid URL', ['localhost:8787'], /"localhost:8787" is not a valid URL: use one like http:/],
    ['a network', [NOWHERE, '--listed', '10.0.0.0/8'], /"10.0.0.0\/8" is a network: use an address in it/],
    ['an invalid number', [NOWHERE, '--calls', '0'], /"0" is not a number from 1 to 999999/],
  ] as const)
    it(`ends with 2 for ${what}`, async () => {
      const { status, stderr } = await refusalOf('check-backend', ...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });

  it('wants a URL or a configuration, and not both', async (t) => {
    const file = configFile(t, 'backend: { url: http://127.0.0.1:1 }\n');
    assert.match(
      (await runHaverdict('check-backend')).stderr,
      /name a URL, or the configuration of the agent with -c FILE/,
    );
    assert.match(
      (await runHaverdict('check-backend', NOWHERE, '-c', file)).stderr,
      /name a URL or a configuration with -c, not both/,
    );
    assert.equal((await runHaverdict('check-backend', '-c', configFile(t, 'backend: {}\n'))).status, 78);
  });

  it('lists each of its checks in the reference, and no other', () => {
    const text = readFileSync(new URL('../../../docs/reference/contract.md', import.meta.url), 'utf8');
    const [, section = ''] = text.split('## Checks of check-backend');
    const named = [...section.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(named, Object.keys(CHECKS));
    const guide = readFileSync(new URL('../../../docs/guides/bring-your-own-backend.md', import.meta.url), 'utf8');
    assert.ok(guide.includes(`each of [${named.length} checks]`));
  });
});

describe('haverdict check-backend -c FILE', () => {
  const keys = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'of a test', sessionToken: 'of a test' };
  const env = {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
  };
  const REGION = 'eu-central-1';

  /** A function URL that takes signed calls only; and takes so many milliseconds for an answer. */
  async function signedFunction(t: TestContext, delayMs = 0): Promise<string> {
    const store = new MemoryStore();
    store.type({ subject: 'ip:203.0.113.7', list: 'feed', action: 'deny' });
    const handler = createHandler({ store, log: () => {}, clock: Date.now, ttlSeconds: 60 });
    const known = { ...keys, expiresAtMs: Number.POSITIVE_INFINITY, source: 'a test' };
    const functionUrl = await FunctionUrl.start({
      invoke: async (event) => {
        if (delayMs > 0) await pause(delayMs);
        return handler(event);
      },
      authorize: (request) => {
        verify(request, {
          region: REGION,
          service: 'lambda',
          find: (id) => (id === keys.accessKeyId ? known : undefined),
        });
        return undefined;
      },
    });
    t.after(() => functionUrl.close());
    return functionUrl.url;
  }

  async function check(t: TestContext, yaml: string, more: NodeJS.ProcessEnv = env, ...args: readonly string[]) {
    const file = configFile(t, yaml);
    const { status, stdout, stderr } = await runAround(
      { env: more },
      NOWHERE,
      'check-backend',
      '-c',
      file,
      '--calls',
      '20',
      '--json',
      ...args,
    );
    const results: { name: string; state: string; why: string; url: string }[] = JSON.parse(stdout);
    const named = (name: string) => results.filter((result) => result.name === name);
    return {
      status,
      stderr,
      results,
      named,
      failed: results.filter(({ state }) => state === 'failed').map(({ name }) => name),
    };
  }

  it('asks as the agent would: signed, for its lists', async (t) => {
    const url = await signedFunction(t);
    const { status, results, named, failed } = await check(
      t,
      `backend: { url: "${url}", auth: iam, region: ${REGION}, timeoutMs: 20000 }\nlists: [manual, feed]\ndeadlineMs: 10000\n`,
      env,
      '--listed',
      '203.0.113.7',
    );
    assert.deepEqual([status, failed], [0, []]);
    assert.equal(results.length, Object.keys(CHECKS).length + AGENT_CHECKS.length);
    assert.match(named('settings')[0]?.why ?? '', /signed for eu-central-1, lists manual, feed, timeout 20000 ms$/);
    assert.match(named('credentials')[0]?.why ?? '', /^a session, …MPLE, no expiry$/);
    assert.match(named('listed')[0]?.why ?? '', /^deny by ip:203\.0\.113\.7 in feed/);
  });

  for (const [what, yaml, more, failed, says] of [
    [
      'signed with another secret',
      `auth: iam, region: ${REGION}`,
      { ...env, AWS_SECRET_ACCESS_KEY: 'other' },
      ['reachable'],
      /status 403: the function refused the signature/,
    ],
    [
      'signed for another region',
      'auth: iam, region: us-east-1',
      env,
      ['reachable'],
      /status 403: the function refused the signature/,
    ],
    ['not signed', 'auth: none', env, ['reachable'], /status 403: for signed calls/],
    [
      'without credentials',
      `auth: iam, region: ${REGION}`,
      { AWS_EC2_METADATA_DISABLED: 'true' },
      ['credentials'],
      /no AWS credentials/,
    ],
  ] as const)
    it(`ends with 1 where calls are ${what}`, async (t) => {
      const result = await check(t, `backend: { url: "${await signedFunction(t)}", ${yaml} }\n`, more);
      assert.deepEqual([result.status, result.failed], [1, failed]);
      assert.match(result.named(failed[0])[0]?.why ?? '', says);
    });

  it('tells a function that is slower than the deadline', async (t) => {
    const { status, failed, named } = await check(
      t,
      `backend: { url: "${await signedFunction(t, 60)}", auth: iam, region: ${REGION}, timeoutMs: 20000 }\ndeadlineMs: 40\n`,
    );
    assert.deepEqual([status, failed], [1, ['deadline']]);
    assert.match(
      named('deadline')[0]?.why ?? '',
      /^20 of 20 calls took longer than deadlineMs \(40\), p50 [\d.]+ ms: the policy decides such lookups$/,
    );
  });

  it('asks each of several functions, and ends with 1 where one fails', async (t) => {
    const url = await brokenBackend(t, () => undefined);
    const { status, failed, named } = await check(
      t,
      `backend: { urls: ["${NOWHERE}", "${url}"], timeoutMs: 20000 }\ndeadlineMs: 10000\n`,
    );
    assert.deepEqual([status, failed], [1, ['reachable']]);
    assert.deepEqual(
      named('reachable').map(({ state, url }) => [state, url]),
      [
        ['failed', NOWHERE],
        ['ok', url],
      ],
    );
  });

  it('is described in the reference, check by check', () => {
    const text = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8');
    const [, section = ''] = text.split('## Cost and check-backend');
    const [own = ''] = section.split('\n## ');
    assert.deepEqual(
      [...own.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, name]) => name),
      [...AGENT_CHECKS],
    );
  });
});

describe('the backend of the guide', () => {
  it('passes check-backend whole, without updates', async (t) => {
    const url = await fileBackend(t, '# ours\nip:203.0.113.0/24 abuse\nip:2001:db8::/32\nhost:evil.example bad shop\n');
    const failed = async (listed: string) => {
      const { status, stdout } = await runOnTable(NOWHERE, 'check-backend', url, '--listed', listed, '--calls', '5');
      return [status, stdout.split('\n').filter((line) => !/^(ok|skipped +(updates|mirror)|$)/.test(line))];
    };
    for (const listed of ['203.0.113.7', '2001:db8::7', 'host:evil.example'])
      assert.deepEqual(await failed(listed), [0, []], listed);
  });

  it('is as short as the guide says', () => {
    const lines = readFileSync(FILE_BACKEND, 'utf8').trim().split('\n');
    assert.ok(lines.length <= 70, `${lines.length} lines`);
  });

  it('says in one line why it does not start', async (t) => {
    const file = join(temporaryFolder(t), 'blocklist.txt');
    writeFileSync(file, 'ip:203.0.113.0/24 abuse\n');
    const { port } = new URL(await fileBackend(t, ''));
    for (const [args, says] of [
      [[], /^file-backend: name the blocklist: node file-backend\.mjs blocklist\.txt \[PORT\]\n$/],
      [[`${file}.not`], /^file-backend: ENOENT: [^\n]*\n$/],
      [[file, port], /^file-backend: listen EADDRINUSE: [^\n]*\n$/],
    ] as const) {
      const { status, stderr } = spawnSync(process.execPath, [FILE_BACKEND, ...args], { encoding: 'utf8' });
      assert.equal(status, 1);
      assert.match(stderr, says);
    }
  });
});

async function fileBackend(t: TestContext, blocklist: string): Promise<string> {
  const file = join(temporaryFolder(t), 'blocklist.txt');
  writeFileSync(file, blocklist);
  const child = spawn(process.execPath, [FILE_BACKEND, file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => void child.kill());
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data');
  return url.trim();
}
