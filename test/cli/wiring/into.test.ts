import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { CliError, EXIT } from '../../../cli/exit/cli-error.ts';
import { replaceInto } from '../../../cli/wiring/into.ts';
import { loadSettings } from '../../../config/load.ts';
import { findHaproxy } from '../../../dev/haproxy.ts';
import { markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const MARKS = `defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend one
    bind 127.0.0.1:8080
    # haverdict begin frontend
    # haverdict end frontend
    http-request return status 200
# haverdict begin agents
# haverdict end agents
`;

const SECOND = `frontend two
    bind 127.0.0.1:8081
    # haverdict begin frontend
    # haverdict end frontend
    http-request return status 200
`;

/** A folder with haproxy.cfg, in which the places are still empty, and what `program` does as haproxy. */
function place(t: TestContext, program = 'true') {
  const folder = realpathSync(temporaryFolder(t));
  const at = (name: string) => join(folder, name);
  writeFileSync(at('haverdict.yaml'), 'backend: { url: http://127.0.0.1:8787 }\n');
  const settings = loadSettings(at('haverdict.yaml'), {});
  writeFileSync(at('haproxy.cfg'), MARKS);
  writeFileSync(at('haverdict.spoe.cfg'), markedSpoeFile(settings));
  writeFileSync(at('haproxy.sh'), `#!/bin/sh\n${program}\n`, { mode: 0o700 });
  const into = (...names: string[]) =>
    replaceInto(settings, { into: names.map(at), write: true, force: false, haproxyProgram: at('haproxy.sh') });
  return { folder, at, into, settings };
}

/** Every file below a folder with its text. */
function texts(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  );
}

const failsWith =
  (message: RegExp, exitCode: number = EXIT.failed) =>
  (error: unknown) => {
    assert.ok(error instanceof CliError);
    assert.equal(error.exitCode, exitCode);
    assert.match(error.message, message);
    return true;
  };

describe('parts between marks', () => {
  type Refused = readonly [string, readonly string[], RegExp, ((at: (name: string) => string) => void)?];
  const REFUSED: readonly Refused[] = [
    ['a file named twice', ['haproxy.cfg', 'haproxy.cfg'], /haproxy\.cfg is the same file as .*name it once/],
    [
      'a file and a link to it',
      ['haproxy.cfg', 'link.cfg'],
      /link\.cfg is the same file as .*haproxy\.cfg/,
      (at) => symlinkSync(at('haproxy.cfg'), at('link.cfg')),
    ],
    ['a folder with the SPOE file', ['.'], /haverdict\.spoe\.cfg is the SPOE file, and HAProxy would read it as/],
    ['the SPOE file by name', ['haproxy.cfg', 'haverdict.spoe.cfg'], /haverdict\.spoe\.cfg is the SPOE file/],
    ['a folder without files', ['d'], /d has no \.cfg file/, (at) => mkdirSync(at('d/e.cfg'), { recursive: true })],
    ['a pipe', ['p.cfg'], /p\.cfg cannot be read: .*not a file/, (at) => spawnSync('mkfifo', [at('p.cfg')])],
    ['a file that is not there', ['none.cfg'], /none\.cfg cannot be read: .*ENOENT/],
    [
      'a mark of a part that no configuration has',
      ['two.cfg', 'haproxy.cfg'],
      /two\.cfg:3: there is no part frontends: its name is one of frontend, .*group-NAME/,
      (at) => writeFileSync(at('two.cfg'), SECOND.replaceAll(/(begin|end) frontend/g, '$1 frontends')),
    ],
  ];
  for (const [what, names, message, prepare] of REFUSED)
    it(`stay where there is ${what}`, { timeout: 10_000 }, async (t) => {
      const { folder, at, into } = place(t);
      prepare?.(at);
      const before = texts(folder);
      await assert.rejects(into(...names), failsWith(message));
      assert.deepEqual(texts(folder), before);
    });

  for (const signal of ['INT', 'TERM', 'HUP'])
    it(`stay, and nothing is left beside them, where SIG${signal} comes while HAProxy checks them`, async (t) => {
      const { folder, into } = place(t, `kill -${signal} $PPID\nexec sleep 60`);
      const before = texts(folder);
      await assert.rejects(into('haproxy.cfg'), failsWith(/^stopped: nothing was replaced/, EXIT.interrupted));
      assert.deepEqual(texts(folder), before);
    });

  it('stay where HAProxy is ended by a signal', async (t) => {
    const { folder, into } = place(t, 'kill -KILL $$');
    const before = texts(folder);
    await assert.rejects(into('haproxy.cfg'), failsWith(/haproxy\.sh -c was ended by SIGKILL/));
    assert.deepEqual(texts(folder), before);
  });

  it('stay, without a backup, where somebody changes the last file while HAProxy checks them', async (t) => {
    const { folder, at, into } = place(t);
    writeFileSync(at('haproxy.sh'), `#!/bin/sh\necho '# mine' >> ${at('haproxy.cfg')}\n`, { mode: 0o700 });
    const before = texts(folder);
    await assert.rejects(into('haproxy.cfg'), failsWith(/nothing was replaced: .*haproxy\.cfg was changed meanwhile/));
    assert.deepEqual(texts(folder), { ...before, [at('haproxy.cfg')]: `${MARKS}# mine\n` });
  });

  it('are named by their own file where HAProxy refuses them', async (t) => {
    const { at, into } = place(t, 'echo "parsing [$3:12]: wrong"; exit 1');
    await assert.rejects(into('haproxy.cfg'), failsWith(new RegExp(`parsing \\[${at('haproxy.cfg')}:12\\]: wrong`)));
  });

  it('are checked by the haproxy of the system, also without its folder on the PATH', async (t) => {
    const { at, settings } = place(t);
    const { PATH } = process.env;
    t.after(() => Object.assign(process.env, { PATH }));
    process.env.PATH = '/usr/bin:/bin';
    const said = await replaceInto(settings, {
      into: [at('haproxy.cfg')],
      write: true,
      force: false,
      haproxyProgram: 'haproxy',
    });
    assert.equal(said.at(-1), 'reload HAProxy to use it');
  });

  const DEFAULT_PATHS: readonly (readonly [string, string, string])[] = [
    ['without default-path, beside the file', '', 'site/own.spoe.cfg'],
    ['default-path config', 'config', 'site/own.spoe.cfg'],
    ['default-path parent', 'parent', 'own.spoe.cfg'],
    ['default-path origin', 'origin $ROOT/other', 'other/own.spoe.cfg'],
  ];
  for (const [what, written, spoe] of DEFAULT_PATHS)
    it(`are checked and replaced with the SPOE file that HAProxy reads: ${what}`, async (t) => {
      const { folder, at, settings } = place(t);
      for (const name of ['site', 'other']) mkdirSync(at(name));
      const line = written === '' ? '' : `    default-path ${written.replace('$ROOT', folder)}\n`;
      writeFileSync(at('site/1.cfg'), `global\n    maxconn 100\n${line}`);
      const named = '    # haverdict begin frontend\n    filter spoe engine haverdict config own.spoe.cfg\n';
      writeFileSync(at('site/2.cfg'), MARKS.replace('    # haverdict begin frontend\n', named));
      const empty = markedSpoeFile(settings).replace(/(?<=begin.*\n)(.*\n)*(?=# haverdict end)/, '');
      writeFileSync(at(spoe), empty);
      const said = await replaceInto(settings, {
        into: [at('site/1.cfg'), at('site/2.cfg')],
        write: true,
        force: true,
        haproxyProgram: findHaproxy(),
      });
      assert.ok(said.some((text) => text.startsWith(`replaced the parts in ${at(spoe)}, backup `)));
      assert.equal(readFileSync(at(spoe), 'utf8'), markedSpoeFile(settings));
      assert.match(readFileSync(at('site/2.cfg'), 'utf8'), /filter spoe engine haverdict config own\.spoe\.cfg\n/);
    });
});
