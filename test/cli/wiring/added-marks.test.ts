import assert from 'node:assert/strict';
import { globSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { withMarks } from '../../../cli/wiring/added-marks.ts';
import { replaceInto } from '../../../cli/wiring/into.ts';
import { loadSettings } from '../../../config/load.ts';
import { findHaproxy } from '../../../dev/haproxy.ts';
import { examine } from '../../../haproxy/doctor/doctor.ts';
import { readInstallation } from '../../../haproxy/doctor/installation.ts';
import { markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { readLines } from '../../../haproxy/parse/preprocessor.ts';
import { readConfig } from '../../../haproxy/parse/proxy.ts';
import { readSections } from '../../../haproxy/parse/sections.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const EXAMPLES = join(import.meta.dirname, '../../../docs/examples/haproxy');
const MARK = /^[ \t]*# haverdict (?:begin|end) (?<part>\S+).*\r?\n/gm;

/** The file with marks for the parts of these frontends. */
function marked(text: string, ...frontends: string[]): string {
  const sections = readSections(readLines('haproxy.cfg', text, '3.0'));
  const { proxies } = readConfig(['haproxy.cfg'], sections);
  const [file] = withMarks([{ path: 'haproxy.cfg', text }], sections, proxies, frontends);
  return file?.text ?? '';
}

/** The parts and the sections that they stand in. */
function placesIn(text: string): string[] {
  let section = '';
  return text.split('\n').flatMap((line) => {
    if (/^\w/.test(line)) section = line;
    const [, part] = /# haverdict begin (\S+)/.exec(line) ?? [];
    return part === undefined ? [] : `${part === 'agents' ? 'end' : section}: ${part}`;
  });
}

describe('new marks', () => {
  for (const path of globSync('*/haproxy.cfg', { cwd: EXAMPLES }))
    it(`come where they stand in the documented configuration: ${path}`, () => {
      const documented = readFileSync(join(EXAMPLES, path), 'utf8');
      const bare = documented.replace(MARK, '').replace(/\n\n$/, '\n');
      const places = placesIn(documented);
      const frontends = places.flatMap(
        (place) => /^(?:frontend|listen) (\S+): (?:tcp-)?frontend$/.exec(place)?.[1] ?? [],
      );
      const text = marked(bare, ...frontends);
      assert.equal(text.replace(MARK, '').replace(/\n\n$/, '\n'), bare);
      assert.deepEqual(
        placesIn(text),
        places.filter((place) => /: (agents|(tcp-)?frontend)$/.test(place)),
      );
      // own rules may stand above the part, and what is no rule below it
      const isTheirs = /http-request[^#]*# haverdict begin|# haverdict end frontend\s+(?:# .*\s+)?option/.test(
        documented,
      );
      if (!isTheirs) assert.equal(text, documented);
      assert.equal(marked(text, ...frontends), text, 'once');
    });

  const SITE = `frontend web # our site\r
\tbind 127.0.0.1:8080\r
\tacl old path_beg /old\r
\ttcp-request inspect-delay 1s\r
\r
\t# below\r
\thttp-request redirect location / if old\r
\tdefault_backend app\r
`;

  it('stand below tcp-request rules and above comments of what comes next, as the file is written', () => {
    const text = marked(`defaults\r\n\tmode http\r\n${SITE}`, 'web');
    assert.ok(
      text.includes(
        'inspect-delay 1s\r\n\t# haverdict begin frontend\r\n\t# haverdict end frontend\r\n\r\n\t# below\r\n',
      ),
    );
    assert.ok(text.endsWith('app\r\n\r\n# haverdict begin agents\r\n# haverdict end agents\r\n'));
  });

  const REFUSED: readonly (readonly [string, string, readonly string[], RegExp])[] = [
    ['no such frontend', SITE, ['wep'], /^there is no frontend wep: these are web$/],
    ['a backend', `${SITE}backend app\n`, ['app'], /^there is no frontend app: these are web$/],
    ['two of the name', `frontend a\nlisten a\n`, ['a'], /^there are 2 sections with the name a: /],
    [
      '.if in it',
      'frontend a\n  .if defined(X)\n  bind :1\n  .endif\n',
      ['a'],
      /^haproxy\.cfg:1: frontend a has \.if: write/,
    ],
    [
      'the part without marks',
      'frontend a\n  filter spoe engine haverdict config x\n',
      ['a'],
      /^haproxy\.cfg:2: frontend a has this part without marks: remove it/,
    ],
  ];
  for (const [what, text, names, message] of REFUSED)
    it(`are refused where there is ${what}`, () => assert.throws(() => marked(text, ...names), { message }));

  function site(t: TestContext, config: string) {
    const folder = realpathSync(temporaryFolder(t));
    const at = (name: string) => join(folder, name);
    writeFileSync(at('haverdict.yaml'), 'backend: { url: http://127.0.0.1:8787 }\nlisten: [tcp://127.0.0.1:9]\n');
    const settings = loadSettings(at('haverdict.yaml'), {});
    writeFileSync(at('haproxy.cfg'), config);
    writeFileSync(at('haverdict.spoe.cfg'), markedSpoeFile(settings));
    const into = (write: boolean) =>
      replaceInto(settings, {
        into: [at('haproxy.cfg')],
        frontends: ['web'],
        write,
        force: false,
        haproxyProgram: findHaproxy(),
      });
    return { at, settings, into };
  }

  const DEFAULTS = 'defaults\n    mode http\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n';

  it('are filled, so that HAProxy and doctor have nothing to say, and again nothing changes', async (t) => {
    const { at, settings, into } = site(
      t,
      `${DEFAULTS}frontend web\n    bind 127.0.0.1:8080\n    http-request set-header x y\n    default_backend app\nbackend app\n    server a 127.0.0.1:1\n`,
    );
    const before = readFileSync(at('haproxy.cfg'), 'utf8');
    const shown = await into(false);
    assert.equal(readFileSync(at('haproxy.cfg'), 'utf8'), before);
    assert.ok(
      shown.some((line) => line.startsWith('+    # haverdict begin frontend ')) &&
        !shown.some((line) => /^-[^-]/.test(line)),
    );
    await into(true);
    const texts = [{ file: at('haproxy.cfg'), text: readFileSync(at('haproxy.cfg'), 'utf8') }];
    const files = { read: (path: string) => readFileSync(path, 'utf8'), isSocket: () => true };
    assert.deepEqual(examine(readInstallation(settings, texts, files)), []);
    assert.deepEqual(await into(true), ['all parts are up to date']);
  });

  it('leave the file as it is where no part of the configuration belongs into such a frontend', async (t) => {
    const config = `${DEFAULTS}frontend web\n    mode tcp\n    bind 127.0.0.1:8080\n`;
    const { at, into } = site(t, config);
    await assert.rejects(into(true), {
      message: /nothing was replaced\n.*haproxy\.cfg: part tcp-frontend would be empty: no message .* in mode tcp$/,
    });
    assert.equal(readFileSync(at('haproxy.cfg'), 'utf8'), config);
  });
});
