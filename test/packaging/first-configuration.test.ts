import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { UNIT_FOLDERS } from '../../config/host-checks.ts';
import { loadSettings } from '../../config/load.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { overSocket } from '../support/http-over-socket.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const FILE = join(root, 'packaging/debian/haverdict.yaml');
const { admin } = loadSettings(FILE, {
  HAVERDICT_BACKEND_URL: 'https://function-url.example/',
  AWS_REGION: 'eu-central-1',
});

describe('the first configuration of the packages', () => {
  it('opens no port for the page, but a socket in the folder of the unit', () => {
    assert.ok(admin.listen?.type === 'unix');
    assert.ok(
      UNIT_FOLDERS.some((folder) => folder === dirname(admin.listen?.type === 'unix' ? admin.listen.path : '')),
    );
  });

  it('is what the guides tell ssh and curl', () => {
    const path = admin.listen?.type === 'unix' ? admin.listen.path : '';
    const guides = [FILE, join(root, 'docs/guides/monitoring.md'), join(root, 'docs/runbook.md')];
    for (const guide of guides) assert.ok(readFileSync(guide, 'utf8').includes(`ssh -L 9101:${path} HOST`), guide);
  });

  it('answers what comes through ssh -L, and no name of a stranger', async (t) => {
    const folder = temporaryFolder(t);
    const page = join(folder, 'status.sock');
    const agent = await startAgentProcess(
      {
        listen: [{ unix: join(folder, 'agent.sock') }],
        backend: { url: 'http://127.0.0.1:9' },
        admin: { listen: `unix:${page}` },
      },
      folder,
    );
    t.after(() => agent.kill('SIGKILL'));
    await until(
      () => agent.lines.some((line) => line.includes('admin HTTP server is listening')),
      () => agent.lines.join('\n'),
    );
    for (const host of ['localhost:9101', '127.0.0.1:9101', 'localhost'])
      assert.equal((await overSocket(page, { path: '/', host })).status, 200, host);
    assert.equal((await overSocket(page, { path: '/state.json', host: 'evil.example:9101' })).status, 421);
  });
});
