import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadSettings } from '../../../config/load.ts';
import { findHaproxy } from '../../../dev/haproxy.ts';
import { haproxyFragment, markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { runHaverdict } from '../../support/haverdict.ts';

const BACKEND = 'backend: { url: http://127.0.0.1:8787 }\n';
const DENY = 'http-request deny deny_status 403 if { var(txn.haverdict.action) -m str deny tarpit drop redirect }';

/** A place with haproxy.cfg as `BACKEND` makes it, two frontends in it, and a configuration that may say more. */
function place(t: TestContext, more = '') {
  const folder = realpathSync(temporaryFolder(t));
  const at = (name: string) => join(folder, name);
  writeFileSync(at('old.yaml'), BACKEND);
  writeFileSync(at('new.yaml'), `${BACKEND}${more}`);
  const settings = loadSettings(at('old.yaml'), {});
  const [, frontend = '', agents = ''] = haproxyFragment(settings, at('haverdict.spoe.cfg')).split(/^# Part .*\n/m);
  const text = `global
\tmaxconn 100
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    timeout tarpit 1s
frontend one
    bind 127.0.0.1:8080
${frontend}    http-request set-header x-own 1 # stays
    default_backend own
frontend two
\tbind 127.0.0.1:8081
${frontend.replaceAll(/^ {4}/gm, '\t')}\tdefault_backend own
backend own
    http-request return status 200
${agents}`;
  writeFileSync(at('haproxy.cfg'), text);
  writeFileSync(at('haverdict.spoe.cfg'), markedSpoeFile(settings));
  const read = (name = 'haproxy.cfg') => readFileSync(at(name), 'utf8');
  const into = (...args: string[]) =>
    runHaverdict('wiring', '-c', at('new.yaml'), '--into', at('haproxy.cfg'), ...args);
  return { folder, at, text, read, into };
}

describeOnEveryHaproxy('haverdict wiring --into --write', ({ binary }) => {
  it('replaces every such part in both files, keeps all else, mode and a backup, and has nothing to do then', async (t) => {
    const { folder, at, text, read, into } = place(
      t,
      'deadlineMs: 90\nhaproxy: { actions: [tarpit], denyStatuses: [429] }\n',
    );
    chmodSync(at('haproxy.cfg'), 0o640);
    const program = ['--haproxy-program', binary];
    const { status, stdout, stderr } = await into('--write', ...program);
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /replaced the parts in .*haverdict\.spoe\.cfg, backup .*\.bak\n.*haproxy\.cfg, backup .*\.bak\n/,
    );
    const after = read();
    assert.equal(after.match(/http-request tarpit deny_status 429/g)?.length, 2);
    assert.match(after, /\n\thttp-request tarpit deny_status 429/);
    assert.equal(after.match(/http-request set-header x-own 1 # stays/g)?.length, 1);
    assert.match(read('haverdict.spoe.cfg'), /timeout processing 110ms/);
    assert.equal(statSync(at('haproxy.cfg')).mode & 0o777, 0o640);
    const backup = readdirSync(folder).find((file) => /^haproxy\.cfg\..*\.bak$/.test(file)) ?? '';
    assert.equal(read(backup), text);
    assert.equal(statSync(at(backup)).mode & 0o777, 0o640);
    assert.deepEqual(await into('--write', ...program), {
      status: 0,
      stdout: 'all parts are up to date\n',
      stderr: '',
    });
    assert.equal(readdirSync(folder).filter((file) => /tmp|bak/.test(file)).length, 2);
    const back = await runHaverdict('wiring', '-c', at('old.yaml'), '--into', at('haproxy.cfg'), '--write', ...program);
    assert.equal(back.status, 0, back.stderr);
    assert.equal(read(), text);
  });
});

describe('haverdict wiring --into', () => {
  it('fills the places that are only marks, with the SPOE file of the parts beside them', async (t) => {
    const { at, text, read, into } = place(t);
    const cut = (whole: string, name: string) =>
      whole.replace(new RegExp(`(# haverdict begin ${name}) .*\\n(?:.*\\n)*?(?=.*# haverdict end ${name})`), '$1\n');
    const [one = '', two = ''] = text.split(/(?=^frontend two)/m);
    writeFileSync(at('haproxy.cfg'), cut(one + cut(two, 'frontend'), 'agents'));
    assert.match(read(), /^\t# haverdict begin frontend\n\t# haverdict end frontend$/m);
    const { status, stderr } = await into('--write', '--haproxy-program', findHaproxy());
    assert.equal(status, 0, stderr);
    assert.equal(read(), text);
  });

  it('tells what it would replace, and does nothing', async (t) => {
    const { folder, text, read, into } = place(t, 'haproxy: { actions: [drop] }\n');
    const { status, stdout } = await into();
    assert.equal(status, 0);
    assert.match(stdout, /^--- .*haproxy\.cfg\n\+\+\+ .*haproxy\.cfg\n@@ frontend, line 11 @@\n/);
    assert.match(stdout, /^\+ {4}http-request silent-drop if/m);
    assert.equal(stdout.match(/^\+ {4}http-request silent-drop if/gm)?.length, 2, 'tabs are shown as blanks');
    assert.doesNotMatch(stdout, /^[-+].*x-own|^-.*deny_status 403/m);
    assert.match(stdout, /\n1 file would change: --write replaces the parts\n$/);
    assert.equal(read(), text);
    assert.deepEqual(readdirSync(folder).sort(), ['haproxy.cfg', 'haverdict.spoe.cfg', 'new.yaml', 'old.yaml']);
  });

  const REFUSED: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    [
      'an edited part',
      (text) => text.replace(DENY, `${DENY} !{ src 10.0.0.1 }`),
      /haproxy\.cfg:11: part frontend was edited by hand: --force/,
    ],
    [
      'no end mark',
      (text) => text.replace(/ +# haverdict end frontend\n/, ''),
      /haproxy\.cfg:11: part frontend begins and does not end/,
    ],
    [
      'no begin mark',
      (text) => text.replace(/ +# haverdict begin .*\n/, ''),
      /: part frontend ends and does not begin/,
    ],
    [
      'no marks',
      (text) => text.replace(/.*# haverdict .*\n/g, ''),
      /there is no part frontend between marks.*\n.*no part agents/,
    ],
    [
      'no agents',
      (text) => text.replace(/# haverdict begin agents(.*\n)*/, ''),
      /there is no part agents between marks/,
    ],
    ['no SPOE file', (text) => text.replaceAll(/haverdict\.spoe\.cfg/g, 'missing.cfg'), /missing\.cfg cannot be read/],
    [
      'a file that HAProxy refuses',
      (text) => text.replace('maxconn 100', 'no-such-keyword'),
      /nothing was replaced: haproxy -c refuses the result\n(.*\n)*.*no-such-keyword/,
    ],
  ];
  for (const [what, change, expected] of REFUSED)
    it(`refuses ${what}, and leaves all as it is`, async (t) => {
      const { folder, at, text, read, into } = place(t, 'haproxy: { actions: [drop] }\n');
      const changed = change(text);
      assert.notEqual(changed, text);
      writeFileSync(at('haproxy.cfg'), changed);
      const { status, stderr } = await into('--write');
      assert.equal(status, 1);
      assert.match(stderr, expected);
      assert.equal(read(), changed);
      assert.equal(readdirSync(folder).length, 4);
    });

  it('says where the SPOE file would be found that nobody has written yet', async (t) => {
    const { folder, at, text, read, into } = place(t);
    writeFileSync(
      at('haproxy.cfg'),
      text.replace(/# haverdict begin agents(.*\n)*/, '').replace(/^.*haverdict.*\n/gm, ''),
    );
    rmSync(at('haverdict.spoe.cfg'));
    const { status, stderr } = await into('--frontend', 'one', '--write');
    const usual = '/etc/haproxy/haverdict.spoe.cfg cannot be read: haverdict wiring --out /etc/haproxy writes it';
    const beside = `and --out ${folder} writes one that is found beside ${at('haproxy.cfg')}`;
    assert.deepEqual([status, stderr], [1, `haverdict: ${usual}, ${beside}\n`]);
    assert.equal((await runHaverdict('wiring', '-c', at('new.yaml'), '--out', folder)).status, 0);
    const shown = await into('--frontend', 'one');
    assert.equal(shown.status, 0);
    const added = shown.stdout.split('\n').filter((line) => line.startsWith('+') && !line.startsWith('+++'));
    const written = await into('--frontend', 'one', '--write', '--haproxy-program', findHaproxy());
    assert.equal(written.status, 0, written.stderr);
    for (const line of added) assert.ok(read().includes(`${line.slice(1)}\n`), line);
    const marks = (text: string) => text.split('\n').filter((line) => /# haverdict (begin|end)/.test(line)).length;
    assert.deepEqual([marks(added.join('\n')), marks(read())], [4, 4]);
  });

  it('refuses where a part is missing that the configuration needs now, and a SPOE file without marks', async (t) => {
    const { at, into } = place(t, 'haproxy: { backends: [own] }\n');
    assert.match((await into('--write')).stderr, /there is no part routes between marks/);
    writeFileSync(
      at('haverdict.spoe.cfg'),
      readFileSync(at('haverdict.spoe.cfg'), 'utf8').replace(/# haverdict .*\n/g, ''),
    );
    assert.match((await into('--write')).stderr, /haverdict\.spoe\.cfg: there is no part spoe between marks/);
  });

  it('replaces an edited part with --force', async (t) => {
    const { at, text, read, into } = place(t);
    writeFileSync(at('haproxy.cfg'), text.replace(DENY, `${DENY} !{ src 10.0.0.1 }`));
    assert.equal((await into('--write')).status, 1);
    assert.equal((await into('--write', '--force')).status, 0);
    assert.equal(read(), text);
  });

  it('replaces what a link leads to, and takes a folder for the files in it', async (t) => {
    const { at, folder, text } = place(t, 'haproxy: { actions: [drop] }\n');
    mkdirSync(at('conf.d'));
    const cut = text.indexOf('frontend two');
    writeFileSync(at('a.cfg'), text.slice(0, cut));
    symlinkSync(at('a.cfg'), at('conf.d/a.cfg'));
    writeFileSync(at('conf.d/b.cfg'), text.slice(cut));
    const { status, stderr } = await runHaverdict('wiring', '-c', at('new.yaml'), '--into', at('conf.d'), '--write');
    assert.equal(status, 0, stderr);
    for (const file of ['a.cfg', 'conf.d/b.cfg']) assert.match(readFileSync(at(file), 'utf8'), /silent-drop/);
    assert.ok(
      readdirSync(join(folder, 'conf.d'), { withFileTypes: true }).some(
        (file) => file.name === 'a.cfg' && file.isSymbolicLink(),
      ),
    );
  });

  it('needs --into for --write and --force, and a HAProxy that can be run', async (t) => {
    const { at, into, read, text } = place(t, 'haproxy: { actions: [drop] }\n');
    assert.equal((await runHaverdict('wiring', '-c', at('new.yaml'), '--write')).status, 2);
    assert.equal((await runHaverdict('wiring', '-c', at('new.yaml'), '--force')).status, 2);
    assert.equal((await into('--out', at('.'))).status, 2);
    const { status, stderr } = await into('--write', '--haproxy-program', at('no-haproxy'));
    assert.equal(status, 1);
    assert.match(stderr, /no-haproxy cannot be run: --haproxy-program names it/);
    assert.equal(read(), text);
  });
});
