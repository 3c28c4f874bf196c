import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { knownSettings } from '../../config/catalogue.ts';
import { commandPage, readCommands } from '../../packaging/command-man-page.ts';
import { filled, roff } from '../../packaging/roff.ts';
import { settingsPage } from '../../packaging/settings-man-page.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { runHaverdict } from '../support/haverdict.ts';
import { describeNewer } from '../support/scope.ts';

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
    const text = ".SH one\n'br two\n\\fBthree\\fR --four\nfive… ü 😀";
    const page = ['.TH X 1', '.SH NAME', 'x \\- y', '.SH Z', '.nf', roff(text)].join('\n');
    const { stdout } = shown(t, 'x.1', page);
    for (const line of text.split('\n')) assert.ok(stdout.includes(line), `${line} in ${stdout}`);
  });

  it('have lines of text that are short, and the same words', () => {
    const word = fc.string({ unit: fc.constantFrom('a', '…', '-', '.', "'", '\\', '\n'), minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
        const text = words.join(' ');
        const lines = filled(text);
        assert.ok(lines.every((line) => line.length <= 80 || !line.includes(' ')));
        assert.ok(lines.every((line) => !/^[.']/.test(line)));
        const plain = lines.map((line) =>
          line.replace(/^\\&/, '').replaceAll('\\-', '-').replaceAll('\\e', '\\').replaceAll('\\[u2026]', '…'),
        );
        assert.equal(plain.join(' '), text.replaceAll('\n', ' '));
      }),
    );
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

describeNewer('the man pages in mandoc', () => {
  const page = {
    'haverdict.1': async () => commandPage(await readCommands(), '1.0.0', EPOCH),
    'haverdict.yaml.5': async () => settingsPage('1.0.0', EPOCH),
  };
  for (const [name, text] of Object.entries(page))
    it(`${name} has nothing that it warns about`, async (t) => {
      const args = ['-Tlint', written(t, name, await text())];
      const { stdout, stderr, error } = spawnSync('mandoc', args, { encoding: 'utf8' });
      assert.deepEqual([error, stdout, stderr], [undefined, '', '']);
    });
});

/** The page as people read it. */
function shown(t: TestContext, name: string, page = ''): { stdout: string; stderr: string } {
  const file = written(t, name, page);
  const env = { PATH: process.env.PATH, MANWIDTH: '100', LC_ALL: 'C.UTF-8', MANROFFOPT: '-c' };
  const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', file], { encoding: 'utf8', env });
  return { stdout: stdout.replaceAll(/.[\b]/g, ''), stderr }; // bold is a letter over itself
}

function written(t: TestContext, name: string, page: string): string {
  const file = join(temporaryFolder(t), name);
  writeFileSync(file, page);
  return file;
}
