import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { knownSettings } from '../../config/catalogue.ts';
import { commandPage, readCommands } from '../../packaging/command-man-page.ts';
import { roff } from '../../packaging/roff.ts';
import { settingsPage } from '../../packaging/settings-man-page.ts';
import { runHaverdict } from '../support/haverdict.ts';

const EPOCH = 1_790_000_000;

describe('the man pages', () => {
  let pages: Readonly<Record<string, string>>;

  before(async () => {
    pages = {
      'haverdict.1': commandPage(await readCommands(), '1.0.0', EPOCH),
      'haverdict.yaml.5': settingsPage('1.0.0', EPOCH),
    };
  });

  for (const name of ['haverdict.1', 'haverdict.yaml.5']) {
    it(`${name} is shown without a warning`, (t) => {
      assert.equal(shown(t, name, pages[name]).stderr, '');
    });
  }

  it('take text for text, whatever roff would take it for', (t) => {
    const text = ".SH one\n'br two\n\\fBthree\\fR --four";
    const page = ['.TH X 1', '.SH NAME', 'x \\- y', '.SH Z', '.nf', roff(text)].join('\n');
    const { stdout } = shown(t, 'x.1', page);
    for (const line of text.split('\n')) assert.ok(stdout.includes(line), `${line} in ${stdout}`);
  });

  it('haverdict(1) has every command that the program lists', async (t) => {
    const { stdout } = await runHaverdict('--help');
    const [, list = ''] = /^Commands:\n([\s\S]*)/m.exec(stdout) ?? [];
    const listed = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
    const page = shown(t, 'haverdict.1', pages['haverdict.1']).stdout;
    const inPage = [...page.matchAll(/^ {3}haverdict (\S+)/gm)].map(([, name]) => name);
    assert.ok(listed.length > 10);
    assert.deepEqual([...new Set(inPage)].sort(), listed.sort());
  });

  it('haverdict.yaml(5) has every setting with its default and its variable, as they are typed', (t) => {
    const page = shown(t, 'haverdict.yaml.5', pages['haverdict.yaml.5']).stdout.replace(/\s+/g, '');
    for (const { path, mustBe, meaning, variable = '', fallback } of knownSettings()) {
      const facts = [path.join('.'), meaning, mustBe, variable, JSON.stringify(fallback) ?? ''];
      for (const text of facts) assert.ok(page.includes(text.replace(/\s+/g, '')), `${path.join('.')}: ${text}`);
    }
  });
});

/** The page as people read it. */
function shown(t: TestContext, name: string, page = ''): { stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-man-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, name);
  writeFileSync(file, page);
  const env = { PATH: process.env.PATH, MANWIDTH: '100', LC_ALL: 'C.UTF-8', MANROFFOPT: '-c' };
  const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', file], { encoding: 'utf8', env });
  return { stdout: stdout.replaceAll(/.[\b]/g, ''), stderr }; // bold is a letter over itself
}
