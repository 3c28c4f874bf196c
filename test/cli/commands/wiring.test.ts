import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadSettings } from '../../../config/load.ts';
import { PROGRAM } from '../../../dev/program-path.ts';
import { haproxyFragment, markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { configFile, temporaryFolder } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';

const BACKEND = 'backend: { url: http://127.0.0.1:8787 }\n';

describe('haverdict wiring', () => {
  it('prints both files, each with its name', async (t) => {
    const file = configFile(t, BACKEND);
    const { status, stdout } = await runHaverdict('wiring', '-c', file);
    const settings = loadSettings(file, {});
    assert.equal(status, 0);
    assert.equal(
      stdout,
      `# ==== haverdict.spoe.cfg: save this as /etc/haproxy/haverdict.spoe.cfg ====
${markedSpoeFile(settings)}
# ==== haverdict.haproxy.cfg: copy this into haproxy.cfg ====
${haproxyFragment(settings)}`,
    );
  });

  it('writes both files, naming each other, and leaves nothing else', async (t) => {
    const file = configFile(t, BACKEND);
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'haverdict.spoe.cfg'), 'old');
    const { status, stdout } = await runHaverdict('wiring', '-c', file, '--out', folder);
    const spoePath = join(folder, 'haverdict.spoe.cfg');
    const fragmentPath = join(folder, 'haverdict.haproxy.cfg');
    assert.equal(status, 0);
    assert.equal(stdout, `wrote ${spoePath}\nwrote ${fragmentPath}\n`);
    const settings = loadSettings(file, {});
    assert.equal(readFileSync(spoePath, 'utf8'), markedSpoeFile(settings));
    assert.equal(readFileSync(fragmentPath, 'utf8'), haproxyFragment(settings, spoePath));
    assert.deepEqual(readdirSync(folder).sort(), ['haverdict.haproxy.cfg', 'haverdict.spoe.cfg']);
  });

  it('writes over no file that somebody linked to a temporary name', (t) => {
    const file = configFile(t, BACKEND);
    const folder = temporaryFolder(t);
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'somebody needs this');
    const script = 'ln -s "$1" "$2/haverdict.spoe.cfg.$$.tmp"; exec "$3" "$4" wiring -c "$5" --out "$2"';
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', script, 'sh', precious, folder, process.execPath, PROGRAM, file],
      { encoding: 'utf8' },
    );
    assert.equal(status, 1);
    assert.match(stderr, /cannot write .*haverdict\.spoe\.cfg: .*EEXIST/);
    assert.equal(readFileSync(precious, 'utf8'), 'somebody needs this');
  });

  it('is for the HAProxy version of the command line before that of the file', async (t) => {
    const file = configFile(t, BACKEND);
    assert.match((await runHaverdict('wiring', '-c', file)).stdout, /mode tcp/);
    assert.match((await runHaverdict('wiring', '-c', file, '--haproxy-version', '3.2')).stdout, /mode spop/);
    assert.equal((await runHaverdict('wiring', '-c', file, '--haproxy-version', '1.8')).status, 2);
  });

  it('needs a port, a folder that exists, and the right to write there', async (t) => {
    const file = configFile(t, BACKEND);
    const anyPort = configFile(t, `${BACKEND}listen: ["tcp://127.0.0.1:0"]\n`);
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'haverdict.spoe.cfg'));
    assert.deepEqual(await runHaverdict('wiring', '-c', anyPort), {
      status: 78,
      stdout: '',
      stderr: 'haverdict: listen: tcp://127.0.0.1:0 has port 0: HAProxy needs a fixed port\n',
    });
    assert.match(
      (await runHaverdict('wiring', '-c', file, '--out', `${folder}/no`)).stderr,
      /--out .*\/no is not a directory/,
    );
    const blocked = await runHaverdict('wiring', '-c', file, '--out', folder);
    assert.equal(blocked.status, 1);
    assert.match(blocked.stderr, /cannot write .*haverdict\.spoe\.cfg/);
    assert.deepEqual(readdirSync(folder), ['haverdict.spoe.cfg']);
  });
});
