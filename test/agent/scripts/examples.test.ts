import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ArgumentValue, ListedDecision } from '../../../agent/scripts/script-types.ts';
import { loadSettings } from '../../../config/load.ts';
import { configFile, temporaryFolder } from '../../support/config-file.ts';
import { calledIn } from '../../support/scripts.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'docs/guides/scripts');
const guide = readFileSync(`${folder}.md`, 'utf8');
const ALLOWED: ListedDecision = { action: 'allow', source: 'cache' };

describe('the examples of docs/guides/scripts.md', () => {
  it('are the same as the files', () => {
    const shown = [...guide.matchAll(/^\[(.*\.mjs)\]\(scripts\/\1\)\n\n```js\n([\s\S]*?)```$/gm)];
    assert.deepEqual(
      Object.fromEntries(shown.map(([, name, text]) => [name, text])),
      Object.fromEntries(globSync(`${folder}/*.mjs`).map((file) => [basename(file), readFileSync(file, 'utf8')])),
    );
  });

  for (const [, yaml = ''] of guide.matchAll(/```yaml\n([\s\S]*?)```/g))
    it(`have a valid configuration: ${/script: (.*)/.exec(yaml)?.[1]}`, (t) => {
      assert.ok(loadSettings(configFile(t, yaml), {}).script);
    });

  it('match the types of haverdict/script', (t) => {
    const project = join(temporaryFolder(t), 'tsconfig.json');
    const compilerOptions = {
      ...{ noEmit: true, checkJs: true, strict: true, noUncheckedIndexedAccess: true, module: 'nodenext' },
      ...{ target: 'es2024', types: ['node'], typeRoots: [join(root, 'node_modules/@types')], skipLibCheck: true },
      ...{
        allowImportingTsExtensions: true,
        paths: { 'haverdict/script': [join(root, 'agent/scripts/script-types.ts')] },
      },
    };
    writeFileSync(project, JSON.stringify({ compilerOptions, include: [`${folder}/*.mjs`] }));
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { encoding: 'utf8' });
  });

  it('block by path and method', async (t) => {
    const decide = await example(t, 'block-by-path.mjs', 'check-request');
    for (const path of ['/.git', '/.git/config', '//.git', '/a/../.git', '/WP-Admin/'])
      assert.deepEqual(await decide({ method: 'GET', path }), deny(404, 'closed area'), path);
    for (const method of ['POST', 'DELETE'])
      assert.deepEqual(await decide({ method, path: '/archive/1' }), deny(405, 'the archive is read-only'));
    for (const [method, path] of [
      ['GET', '/archive/1'],
      ['POST', '/shop'],
      ['GET', '/.github'],
      ['GET', null],
    ] as const)
      assert.equal(await decide({ method, path }), 'kept');
  });

  it('limit the rate of each API key', async (t) => {
    const decide = await example(t, 'rate-limit.mjs', 'check-request');
    const answers: unknown[] = [];
    for (let count = 0; count < 25; count++) answers.push(await decide({ key: 'joe' }));
    assert.deepEqual(answers.slice(0, 20), new Array(20).fill('kept'));
    assert.deepEqual(answers.at(-1), deny(429, 'too many requests for this key'));
    assert.equal(await decide({ key: 'acme' }), 'kept');
    assert.equal(await decide({ key: 'joe' }, { action: 'deny', source: 'cache' }), 'kept');
    assert.deepEqual(await decide({ key: null }), deny(401, 'no API key'));
  });

  it('choose the backend that has the fewest connections for its size', async (t) => {
    const decide = await example(t, 'load-balancing.mjs', 'choose-backend');
    const to = (backend: string) => ({ action: 'route', source: 'script', vars: { backend } });
    assert.deepEqual(await decide({ tenant: null, blue: 0, green: 0 }), to('blue'));
    assert.deepEqual(await decide({ tenant: null, blue: 30, green: 5 }), to('green'));
    assert.deepEqual(await decide({ tenant: 'small', blue: 30, green: 12 }), to('blue'));
    assert.deepEqual(await decide({ tenant: 'acme', blue: 0, green: 0 }), to('acme-only'));
  });

  it('set headers and remove forged ones', async (t) => {
    const decide = await example(t, 'headers.mjs', 'check-request');
    const tag = (vars: object) => ({ action: 'tag', source: 'script', vars });
    assert.deepEqual(await decide({ key: 'key-of-acme' }), tag({ 'req.set.x-listed': 'no', 'req.set.x-plan': 'gold' }));
    assert.deepEqual(
      await decide({ key: 'stolen' }, { action: 'tag', source: 'cache', list: 'manual' }),
      tag({ 'req.set.x-listed': 'yes', 'req.del.x-plan': '1' }),
    );
    assert.equal(await decide({ key: 'key-of-acme' }, { action: 'deny', source: 'cache' }), 'kept');
  });

  it('ask another service, cache its answers, and do without it when it is slow', async (t) => {
    const asked: (string | undefined)[] = [];
    const service = createServer((request, response) => {
      asked.push(request.url);
      if (request.url === '/sessions/slow') return;
      response.writeHead(request.url === '/sessions/good' ? 200 : 404).end();
    }).listen(0, '127.0.0.1');
    t.after(() => {
      service.closeAllConnections();
      service.close();
    });
    await once(service, 'listening');
    process.env.SESSION_SERVICE = `http://127.0.0.1:${(service.address() as AddressInfo).port}`; // it listens
    t.after(() => delete process.env.SESSION_SERVICE);
    const decide = await example(t, 'lookup.mjs', 'check-request');
    const ended = {
      action: 'redirect',
      source: 'script',
      status: 302,
      reason: 'session ended',
      vars: { location: '/login' },
    };
    // the first call in a process is slow, and has the same deadline as all others
    while ((await decide({ session: 'good' })) !== 'kept') asked.length = 0;
    for (let time = 0; time < 2; time++) {
      assert.equal(await decide({ session: 'good' }), 'kept');
      assert.deepEqual(await decide({ session: 'a/b' }), ended);
    }
    assert.deepEqual(await decide({ session: 'slow' }), { action: 'tag', source: 'script', reason: 'session unknown' });
    assert.deepEqual(asked, ['/sessions/good', '/sessions/a%2Fb', '/sessions/slow']);
    assert.equal(await decide({ session: null }), 'kept');
  });
});

function deny(status: number, reason: string) {
  return { action: 'deny', source: 'script', status, reason };
}

async function example(t: TestContext, name: string, message: string) {
  const call = await calledIn(t, join(folder, name));
  return (given: Readonly<Record<string, ArgumentValue>>, decision = ALLOWED) => call(message, given, decision);
}
