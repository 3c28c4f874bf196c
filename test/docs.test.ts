import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { SOURCES } from '../agent/decision/decision.ts';
import { EXIT } from '../cli/exit/cli-error.ts';
import { everyCommand } from '../cli/program.ts';
import { loadSettings } from '../config/load.ts';
import { REASONS } from '../contract/policy.ts';
import { findHaproxy } from '../dev/haproxy.ts';
import { ERROR_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE, VARIABLES } from '../haproxy/variables.ts';
import { temporaryFolder } from './support/config-file.ts';
import { helpOf } from './support/help.ts';

const root = join(import.meta.dirname, '..');
const text = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the docs', () => {
  it('list every variable towards HAProxy and no other', () => {
    const set = [...Object.values(VARIABLES), ERROR_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE];
    assert.deepEqual(firstColumn('docs/reference/decisions.md', 'Variables towards HAProxy').sort(), set.sort());
  });

  it('list every source and every reason, and no other', () => {
    assert.deepEqual(firstColumn('docs/reference/decisions.md', 'Sources').sort(), [...SOURCES].sort());
    assert.deepEqual(firstColumn('docs/reference/decisions.md', 'Reasons of the policy').sort(), [...REASONS].sort());
  });

  it('list every exit code and no other', () => {
    const rows = decisionRows('docs/reference/cli.md', 'Exit codes').map(([code, name]) => [name, Number(code)]);
    assert.deepEqual(Object.fromEntries(rows), EXIT);
  });

  it('list every command with every option, and no other', async () => {
    const everywhere = ['--table', '--region', '--endpoint-url', '--profile', '--read-units', '--help'];
    const actual = (await everyCommand()).map((command) => [
      command.name(),
      optionsOf(helpOf(command)).filter((option) => !everywhere.includes(option)),
    ]);
    const documented = decisionRows('docs/reference/cli.md', 'Command line').map(([command = '', , options = '']) => [
      command.replaceAll('`', ''),
      optionsOf(options.replaceAll('`', ' ')),
    ]);
    assert.deepEqual(Object.fromEntries(documented), Object.fromEntries(actual));
  });

  it('show a config in the README that the agent takes', (t) => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(text('README.md')) ?? [];
    const file = join(temporaryFolder(t), 'haverdict.yaml');
    writeFileSync(file, yaml);
    assert.equal(loadSettings(file, {}).messages[0]?.name, 'check-request');
  });

  it('are all found from docs/README.md', () => {
    const linked = linksOf('docs/README.md').map(({ target }) => join('docs', target));
    const all = globSync(['docs/guides/*.md', 'docs/reference/*', 'docs/decisions/*.md', 'docs/*.md'], { cwd: root });
    assert.deepEqual(
      all.filter((file) => file !== 'docs/README.md' && !linked.includes(file)),
      [],
    );
  });

  it('get started with commands that do what they say', { timeout: 60_000 }, (t) => {
    const guide = text('docs/guides/getting-started.md');
    const folder = temporaryFolder(t);
    const here = (part = '') => part.replaceAll('/tmp/haverdict', folder);
    const [, configuration] = /### 2 The agent\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(guide) ?? [];
    execFileSync('bash', ['-euc', here(configuration)]);
    const [, commands] = /### 3 HAProxy\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(guide) ?? [];
    const printed = execFileSync('bash', ['-euc', here(commands)], { cwd: root, encoding: 'utf8' });
    assert.match(printed, /^no finding in 1 file$/m);
    execFileSync(findHaproxy(), ['-c', '-q', '-f', join(folder, 'haproxy.cfg')], { stdio: 'inherit' });
  });

  it('have every page that a source file names', () => {
    const sources = globSync(
      '{contract,blocklist,config,haproxy,spop,agent,functions,cli,infra,dev,bench,packaging,test}/**/*.{ts,mjs,c,yaml,service,socket}',
      { cwd: root, exclude: ['**/bundle/**'] },
    );
    const missing = sources.flatMap((file) =>
      [...text(file).matchAll(/\bdocs\/[\w/-]+\.md\b/g)]
        .filter(([page]) => !existsSync(join(root, page)))
        .map(([page]) => `${file}: ${page}`),
    );
    assert.deepEqual(missing, []);
  });

  it('name only npm scripts that there are', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    for (const file of documents()) {
      for (const [, name = ''] of text(file).matchAll(/npm run (?:--silent )?([a-z][a-z:]*[a-z])/g))
        assert.ok(name in scripts, `${file}: npm run ${name}`);
    }
  });

  it('name only files of this repository that there are', () => {
    const folders = globSync('*/', { cwd: root, exclude: ['node_modules'] }).join('|');
    const files = new RegExp(`\`((?:${folders})/[\\w./-]+\\.[a-z]+)\``, 'g');
    const missing = documents().flatMap((document) =>
      [...text(document).matchAll(files)]
        .filter(([, file = '']) => !existsSync(join(root, file)))
        .map(([, file]) => `${document}: ${file}`),
    );
    assert.deepEqual(missing, []);
  });

  for (const file of documents()) {
    it(`link from ${file} only to files and headings that there are`, () => {
      const broken = linksOf(file).filter(({ target, anchor }) => {
        const there = target === '' ? file : join(dirname(file), target);
        if (!existsSync(join(root, there))) return true;
        return anchor !== undefined && there.endsWith('.md') && !anchorsOf(there).includes(anchor);
      });
      assert.deepEqual(broken, []);
    });
  }
});

function documents(): string[] {
  return globSync(['*.md', 'docs/**/*.md'], { cwd: root });
}

/** Where a document leads within the repository; the target is empty for the document itself. */
function linksOf(file: string): { readonly target: string; readonly anchor: string | undefined }[] {
  const links = text(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g);
  return [...links].map(([, target = '', anchor]) => ({ target, anchor }));
}

/** What headings are called in links: as GitHub makes it of their words. */
function anchorsOf(file: string): string[] {
  const headings = text(file).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** The cells of the first table after this heading, without its header. */
function decisionRows(file: string, heading: string): string[][] {
  const [, section = ''] = text(file).split(new RegExp(`^#+ ${heading}$`, 'm'));
  const table = /(^\|.*\n)+/m.exec(section)?.[0] ?? '';
  const rows = table.trim().split('\n').slice(2);
  assert.ok(rows.length > 0, `${file} has no table under "${heading}"`);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function firstColumn(file: string, heading: string): string[] {
  return decisionRows(file, heading).map(([first = '']) => first.replaceAll('`', ''));
}

function optionsOf(helpText: string): string[] {
  const named = helpText.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g);
  return [...new Set([...named].map(([, option]) => option ?? ''))].sort(); // examples name them again
}
