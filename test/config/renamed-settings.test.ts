import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { knownSettings, variableFor } from '../../config/catalogue.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/load.ts';
import { RENAMED } from '../../config/renamed-settings.ts';
import { configFile } from '../support/config-file.ts';

const VARIABLES = new Set(knownSettings().flatMap(({ variable }) => variable ?? []));

/** `a.b` as YAML in one line: `{ a: { b: 1 } }`. */
function yamlOf(path: readonly string[]): string {
  return path.reduceRight((value, key) => `{ ${key}: ${value} }`, '1');
}

function problemsOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return assert.fail('the configuration was accepted');
}

describe('renamed settings', () => {
  for (const { was, now } of RENAMED) {
    const named = (path: string) => path.replace('NAME', 'check-request');
    it(`${was} is refused with its new name`, (t) => {
      const file = configFile(t, yamlOf(named(was).split('.')));
      const lines = problemsOf(() => loadSettings(file, {})).split('\n');
      const about = lines.filter((line) => line.includes(named(was)));
      assert.deepEqual(
        about.map((line) => line.replace(/^.*?:\d+:\d+: /, '')),
        [`${named(was)}: renamed to ${named(now)}`],
      );
    });

    it(`${now} exists, and ${was} does not`, () => {
      const exists = (path: string) =>
        knownSettings().some((setting) =>
          new RegExp(`^${setting.path.join('\\.').replace('REASON', '[a-z_]+')}$`).test(path),
        );
      assert.ok(exists(now));
      assert.ok(!knownSettings().some(({ path }) => path.join('.') === was));
    });

    const variable = variableFor(now.split('.'));
    if (VARIABLES.has(variable))
      it(`${variableFor(was.split('.'))} is refused with its new name`, () => {
        const old = variableFor(was.split('.'));
        const problem = problemsOf(() => loadSettings(undefined, { HAVERDICT_BACKEND_URL: 'http://a', [old]: 'x' }));
        assert.equal(problem, `${old}: renamed to ${variable}`);
      });
  }
});
