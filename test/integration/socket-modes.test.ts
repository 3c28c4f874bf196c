import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PROGRAM } from '../../dev/program-path.ts';
import { temporaryFolder } from '../support/config-file.ts';

const LIMIT_MS = 20_000;
const SOCKETS = ['agent.sock', 'page.sock', 'admin.sock'];

for (const workers of [1, 2])
  describe(`an agent with ${workers === 1 ? 'one process' : 'two workers'} and an open umask`, () => {
    it('makes no socket that others could use, not for a moment', async (t) => {
      const folder = temporaryFolder(t);
      const config = join(folder, 'haverdict.yaml');
      const [agent, page, admin] = SOCKETS.map((name) => join(folder, name));
      const settings = {
        listen: [{ unix: agent }],
        backend: { url: 'http://127.0.0.1:9' },
        admin: { listen: { unix: page }, socket: admin },
        workers,
      };
      writeFileSync(config, JSON.stringify(settings));
      const command = `umask 0; exec ${process.execPath} ${PROGRAM} agent -c ${config}`;
      const child = spawn('/bin/sh', ['-c', command], { stdio: 'ignore' });
      t.after(() => child.kill('SIGKILL'));
      const seen = new Set<string>();
      const look = () => {
        for (const name of SOCKETS) {
          const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
          if (found !== undefined) seen.add(`${name} ${(found.mode & 0o777).toString(8)}`);
        }
      };
      const endMs = performance.now() + LIMIT_MS;
      for (look(); !seen.has('admin.sock 660'); look()) {
        assert.ok(performance.now() < endMs, [...seen].join());
        await turn();
      }
      const allowed = SOCKETS.flatMap((name) => [`${name} 600`, `${name} 700`, `${name} 660`]);
      assert.deepEqual(
        [...seen].filter((one) => !allowed.includes(one)),
        [],
      );
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
  });
