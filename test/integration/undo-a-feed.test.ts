import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { Asking } from '../support/asking.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { localTable, storeAt } from '../support/local-table.ts';
import { ipv4 } from '../support/spop/naive-codec.ts';
import { startStoreFunction } from '../support/table-function.ts';

const PAGE = readFileSync(new URL('../../docs/guides/undo-a-feed.md', import.meta.url), 'utf8');
const EVERYBODY = '203.0.0.0/9\n198.0.0.0/9\n';
const IN_FORCE = 'lists: [manual, bad-feed]\n';
const VISITOR = ipv4(203, 0, 113, 7);
const LISTED = ipv4(192, 0, 2, 66);

/** What stands in fences of a language under a heading, up to the next one. */
function written(heading: string, language: string): string {
  const [, section] = PAGE.split(`${heading}\n`);
  const [own = ''] = (section ?? '').split(/^##/m);
  const blocks = [...own.matchAll(new RegExp(`^\`\`\`${language}\n([^\`]*)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );
  assert.ok(blocks.length > 0, `${heading} has ${language}`);
  return blocks.join('');
}

describe('a feed that blocks everybody', () => {
  it('is found and undone with the commands of the page, and comes back right', async (t) => {
    const { run, ask, sync, configure } = await site(t);
    const isBlocked = async () => (await ask(VISITOR)) === 'deny';
    const goesWrong = async () => {
      await sync(EVERYBODY);
      await run('haverdict flush --all');
      assert.ok(await isBlocked());
    };
    await goesWrong();
    const found = await run(written('## 1. Find the list', 'sh'));
    assert.match(found, /203\.0\.113\.7 +ip:203\.0\.0\.0\/9 +bad-feed/);
    assert.match(found, /^ {2}entry +deny ip:203\.0\.0\.0\/9 in bad-feed$/m, 'explain names the list too');

    configure(written('## 2. Stop enforcing the list', 'yaml'));
    await run(written('## 2. Stop enforcing the list', 'sh'));
    assert.equal(await ask(VISITOR), 'log', 'at once, and in shadow mode');
    configure(IN_FORCE);
    await run('haverdict reload');
    assert.ok(await isBlocked());

    for (const heading of ['### If only a few entries are wrong', '### If the configuration cannot be changed']) {
      await run(written(heading, 'sh'));
      assert.equal(await ask(VISITOR), 'allow', heading);
      await goesWrong();
    }

    const repaired = await run(written('## 4. Repair it', 'sh'));
    assert.match(repaired, /^- ip:203\.0\.0\.0\/9 deny$/m, 'the dry run says what goes');
    assert.match(repaired, /blocks everyone/, 'the history knows what was done meanwhile');
    await run('haverdict flush --all');
    assert.deepEqual([await ask(VISITOR), await ask(LISTED)], ['allow', 'deny']);
  });
});

/** An agent that asks the real function over an embedded table, and a shell beside it; the feed is right again. */
async function site(t: Parameters<typeof temporaryFolder>[0] & Parameters<typeof localTable>[0]) {
  const folder = temporaryFolder(t);
  const { endpoint } = await localTable(t);
  const backend = await startStoreFunction(storeAt(endpoint));
  t.after(() => backend.close());
  const path = join(folder, 'agent.sock');
  const socket = join(folder, 'admin.sock');
  const config = {
    listen: [{ unix: path }],
    backend: { url: backend.url, timeoutMs: 10_000 },
    deadlineMs: 10_000,
    admin: { socket },
  };
  const agent = await startAgentProcess({ ...config, ...parse(IN_FORCE) }, folder);
  t.after(async () => void (await agent.kill('SIGKILL')));
  const haproxy = await Asking.at(path);
  t.after(async () => haproxy.close());
  writeFileSync(join(folder, 'bad-feed.txt'), '192.0.2.66\n');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'haverdict'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`, { mode: 0o755 });
  const file = join(folder, 'haverdict.yaml');
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    HOME: '/nonexistent',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    HAVERDICT_ADMIN_SOCKET: socket,
    HAVERDICT_CONFIG: file,
  };
  const run = async (script: string) =>
    (await promisify(execFile)('/bin/sh', ['-ec', script], { cwd: folder, env })).stdout;
  return {
    run,
    async ask(address: typeof VISITOR) {
      return (await haproxy.ask('check-request', [['ip', address]])).action;
    },
    async sync(feed: string) {
      writeFileSync(join(folder, 'wrong.txt'), feed);
      await run('haverdict sync wrong.txt --list bad-feed --yes');
    },
    /** The settings as a file, with these lines below. */
    configure(yaml: string) {
      const lines = Object.entries(config).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
      writeFileSync(file, lines.join('') + yaml);
    },
  };
}
