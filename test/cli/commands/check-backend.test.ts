import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHECKS } from '../../../cli/conformance/checks.ts';
import { brokenBackend, LISTED } from '../../support/broken-backend.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';

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
    ['what is no URL', ['localhost:8787'], /"localhost:8787" is no URL: write it like http:/],
    ['a network', [NOWHERE, '--listed', '10.0.0.0/8'], /"10.0.0.0\/8" is a network: name an address in it/],
    ['a number that is none', [NOWHERE, '--calls', '0'], /"0" is no number from 1 to 999999/],
  ] as const)
    it(`ends with 2 for ${what}`, () => {
      const { status, stderr } = runHaverdict('check-backend', ...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });

  it('lists each of its checks in the reference, and no other', () => {
    const text = readFileSync(new URL('../../../docs/reference/contract.md', import.meta.url), 'utf8');
    const [, section = ''] = text.split('## What check-backend looks at');
    const named = [...section.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(named, Object.keys(CHECKS));
    const guide = readFileSync(new URL('../../../docs/guides/bring-your-own-backend.md', import.meta.url), 'utf8');
    assert.ok(guide.includes(`each of [${named.length} checks]`));
  });
});

describe('the backend of the guide', () => {
  it('passes check-backend whole', async (t) => {
    const url = await fileBackend(t, '# ours\nip:203.0.113.0/24 abuse\nip:2001:db8::/32\nhost:evil.example bad shop\n');
    const failed = async (listed: string) => {
      const { status, stdout } = await runOnTable(NOWHERE, 'check-backend', url, '--listed', listed, '--calls', '5');
      return [status, stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ok '))];
    };
    for (const listed of ['203.0.113.7', '2001:db8::7', 'host:evil.example'])
      assert.deepEqual(await failed(listed), [0, []], listed);
  });

  it('is as short as the guide says', () => {
    const lines = readFileSync(FILE_BACKEND, 'utf8').trim().split('\n');
    assert.ok(lines.length <= 70, `${lines.length} lines`);
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
