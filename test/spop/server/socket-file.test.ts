import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, lstatSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { clearStaleSocket, withClosedUmask } from '../../../spop/server/socket-file.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const NOBODY = 65534;

describe('a file at the path of a socket', () => {
  const others: readonly (readonly [string, (path: string) => void])[] = [
    ['a file', (path) => writeFileSync(path, '')],
    ['a folder', (path) => mkdirSync(path)],
    ['a pipe', (path) => void execFileSync('mkfifo', [path])],
    ['a link to nothing', (path) => symlinkSync(`${path}-not-there`, path)],
    ['a link to a file', (path) => symlinkSync(import.meta.filename, path)],
  ];
  for (const [name, make] of others)
    it(`stays where it is ${name}`, async (t) => {
      const path = join(temporaryFolder(t), 'agent.sock');
      make(path);
      await assert.rejects(clearStaleSocket({ path }), /exists and is not a socket: remove it or listen elsewhere$/);
      assert.ok(lstatSync(path));
    });

  it('stays where it is a link to a stale socket', async (t) => {
    const stale = await staleSocket(t);
    const path = `${stale}.link`;
    symlinkSync(stale, path);
    await assert.rejects(clearStaleSocket({ path }), /exists and is not a socket/);
    assert.ok(existsSync(stale));
  });

  it('is removed if it is a stale socket of this user', async (t) => {
    const path = await staleSocket(t);
    await clearStaleSocket({ path });
    assert.ok(!existsSync(path));
  });

  if (process.geteuid?.() === 0)
    it('is removed if it is a stale socket of the configured owner, and stays if it is another user’s', async (t) => {
      const path = await staleSocket(t);
      chownSync(path, NOBODY, NOBODY);
      await assert.rejects(clearStaleSocket({ path }), new RegExp(`is a socket of user ${NOBODY}: remove it`));
      await assert.rejects(clearStaleSocket({ path, owner: '1' }), /is a socket of user/);
      await clearStaleSocket({ path, owner: String(NOBODY) });
      assert.ok(!existsSync(path));
    });
});

describe('a new socket', () => {
  it('is accessible to this user alone at first, and the umask stays', async (t) => {
    const before = process.umask(0);
    t.after(() => process.umask(before));
    const path = join(temporaryFolder(t), 'new.sock');
    const server = createServer();
    t.after(() => void server.close());
    withClosedUmask(() => server.listen(path));
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    assert.equal(process.umask(), 0);
  });
});

/** Node removes only the name that a socket was made with. */
async function staleSocket(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  const made = join(folder, 'made.sock');
  const path = join(folder, 'agent.sock');
  const server = createServer().listen(made);
  await once(server, 'listening');
  renameSync(made, path);
  await new Promise((resolve) => server.close(resolve));
  return path;
}
