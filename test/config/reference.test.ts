import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type KnownSetting, knownSettings } from '../../config/catalogue.ts';
import { loadSettings } from '../../config/load.ts';
import { REASONS } from '../../contract/policy.ts';
import { configFile } from '../support/config-file.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const PAGE = readFileSync(new URL('../../docs/reference/config.md', import.meta.url), 'utf8');

describe('docs/reference/config.md', () => {
  it('lists every setting as it is, and no other', () => {
    assert.deepEqual(tableBelow('| Setting |'), knownSettings().map(toRow));
  });

  it('lists every reason of a policy, and no other', () => {
    assert.deepEqual(
      tableBelow('| Reason |').map((row) => /`(.+?)`/.exec(row)?.[1]),
      [...REASONS],
    );
  });

  it('has a sentence about every setting', () => {
    assert.deepEqual(
      knownSettings()
        .filter(({ meaning }) => meaning === '')
        .map(({ path }) => path.join('.')),
      [],
    );
  });
});

describe('the backends in the guides', () => {
  const examples = globSync('guides/*.md', { cwd: DOCS }).flatMap((page) =>
    [...readFileSync(new URL(page, DOCS), 'utf8').matchAll(/```yaml\n(backend:[\s\S]*?)```/g)].map(
      ([, yaml = '']) => [page, yaml] as const,
    ),
  );

  it('are there', () => assert.ok(examples.length >= 2));

  for (const [page, yaml] of examples)
    it(`can be loaded: ${page}`, (t) => {
      const { targets } = loadSettings(configFile(t, yaml), {}).backend;
      assert.ok(targets.every(({ region }) => (region !== undefined) === yaml.includes('auth: iam')));
    });
});

function tableBelow(heading: string): string[] {
  const lines = PAGE.split('\n');
  const first = lines.findIndex((line) => line.startsWith(heading)) + 2;
  return lines.slice(first, lines.indexOf('', first));
}

function toRow({ path, mustBe, fallback, meaning, variable }: KnownSetting): string {
  const code = (text: string | undefined) => (text === undefined ? '–' : `\`${text}\``);
  return `| ${code(path.join('.'))} | ${mustBe} | ${code(JSON.stringify(fallback))} | ${meaning} | ${code(variable)} |`;
}
