import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { UNIT_FOLDERS } from '../../../config/host-checks.ts';
import { configFile } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { refusalOf } from '../../support/refusal.ts';

const UNITS = new URL('../../../packaging/systemd/', import.meta.url);

describe('what haverdict agent --check finds on this host', () => {
  for (const [what, yaml, says] of [
    [
      'the folder of a socket',
      'listen: ["unix:/no/such/a.sock"]',
      /:2:10: listen\[0\]\.unix: must be in an existing folder, but \/no\/such does not exist$/m,
    ],
    [
      'the folder of a socket in a map',
      'listen: [{ unix: /no/such/a.sock }]',
      /:2:18: listen\[0\]\.unix: must be in an existing folder, but \/no\/such does not exist$/m,
    ],
    [
      'the owner of a socket',
      'listen: [{ unix: /tmp/a.sock, owner: no-such-user }]',
      /listen\[0\]\.owner: must be a user of this host, but "no-such-user" does not exist$/m,
    ],
    [
      'the group of a socket',
      'listen: [{ unix: /tmp/a.sock, group: no-such-group }]',
      /listen\[0\]\.group: must be a group of this host, but "no-such-group" does not exist$/m,
    ],
    [
      'the folder and group of the page',
      'admin: { listen: { unix: /no/such/a, group: no-such-group } }',
      /admin\.listen\.unix: must be in an existing folder.*\n.*admin\.listen\.group: must be a group/m,
    ],
    [
      'the folder of the admin socket',
      'admin: { socket: /no/such/admin.sock }',
      /:2:18: admin\.socket: must be in an existing folder, but \/no\/such does not exist$/m,
    ],
    [
      'the folder of the cache',
      'cache: { file: /no/such/cache }',
      /:2:16: cache\.file: must be in an existing folder, but \/no\/such does not exist$/m,
    ],
    ['a cache that is a folder', 'cache: { file: /tmp }', /cache\.file: must be a file, but \/tmp is a folder$/m],
    [
      'a folder that is a file',
      'admin: { socket: /etc/passwd/a.sock }',
      /admin\.socket: must be in a folder, but \/etc\/passwd is not a folder$/m,
    ],
    ['the script', 'script: ./none.mjs', /script: no such file/],
  ] as const)
    it(`is that ${what} is not there, with 78`, async (t) => {
      const file = configFile(t, `backend: { url: http://127.0.0.1:1 }\n${yaml}\n`);
      const { status, stderr } = await refusalOf('agent', '--check', '-c', file);
      assert.match(stderr, says);
      assert.equal(status, 78);
    });

  it('is a socket that two names lead to, through a link', async (t) => {
    const file = configFile(t, '');
    const folder = dirname(file);
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    writeFileSync(
      file,
      `backend: { url: http://127.0.0.1:1 }\nlisten: ["unix:${folder}/real/a.sock"]\nadmin: { socket: ${folder}/link/a.sock }\n`,
    );
    const { status, stderr } = await runHaverdict('agent', '--check', '-c', file);
    assert.match(stderr, /admin\.socket: must differ from listen\[0\]/);
    assert.equal(status, 78);
  });

  it('is a cache or a mirror that would be written over the configuration or the script', async (t) => {
    const file = configFile(t, '');
    const folder = dirname(file);
    writeFileSync(join(folder, 'script.mjs'), '');
    writeFileSync(
      file,
      `backend: { url: http://127.0.0.1:1 }\nscript: ./script.mjs\ncache: { file: ${folder}/./agent.yaml }\nupdates: { file: ${folder}/./script.mjs }\n`,
    );
    const { stderr } = await runHaverdict('agent', '--check', '-c', file);
    for (const setting of ['cache.file', 'updates.file'])
      assert.ok(stderr.includes(`${setting}: must be a file of its own`));
  });

  it('is a warning, with 0, where a unit makes the folder, or a newer HAProxy may have the fetch', async (t) => {
    const unit = UNIT_FOLDERS[2];
    const yaml = `listen: ["unix:${unit}/a.sock"]\nmessages: { a: { subjects: { ip: fc_quantum_bits } } }\n`;
    const { status, stdout, stderr } = await runHaverdict(
      'agent',
      '--check',
      '-c',
      configFile(t, `backend: { url: http://127.0.0.1:1 }\n${yaml}`),
    );
    assert.deepEqual([status, stderr.trim().split('\n').length], [0, 2]);
    assert.match(
      stderr,
      /^haverdict: warning: \S+:2:10: listen\[0\]\.unix: the folder \S+ does not exist yet; its systemd unit creates it$/m,
    );
    assert.match(
      stderr,
      /^haverdict: warning: \S+:3:34: messages\.a\.subjects\.ip: "fc_quantum_bits" is not a sample fetch/m,
    );
    assert.match(stdout, /: ok\n/);
  });

  it('knows the folders that the units make', () => {
    const text = ['haverdict.service', 'haverdict.socket']
      .map((unit) => readFileSync(new URL(unit, UNITS), 'utf8'))
      .join('\n');
    const [, run] = /^RuntimeDirectory=(.*)$/m.exec(text) ?? [];
    const [, state] = /^StateDirectory=(.*)$/m.exec(text) ?? [];
    const [, socket = ''] = /^ListenStream=(.*)$/m.exec(text) ?? [];
    assert.deepEqual([...UNIT_FOLDERS], [`/run/${run}`, `/var/lib/${state}`, dirname(socket)]);
  });
});
