import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../../config/config-error.ts';
import { loadSettings } from '../../../config/load.ts';
import type { Settings } from '../../../config/settings.ts';
import { checkHaproxy, SPOE_FILE } from '../../../dev/haproxy.ts';
import { markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { anyConfiguration } from '../../support/configuration-arbitrary.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { haproxyCheck } from '../../support/haproxy-check.ts';
import { longRuns } from '../../support/scope.ts';
import { wiredConfig } from '../../support/wired-config.ts';
import { findingsIn, type HaproxySet } from './good-files.ts';

/** HAProxy takes as long to start as to read many configurations, so it reads as many at once. */
const AT_ONCE = 100;

describeOnEveryHaproxy('what the wiring generates for any configuration', ({ binary, version }) => {
  it('is taken by HAProxy without a warning, and the doctor finds nothing', (t) => {
    const folder = temporaryFolder(t);
    const sets: HaproxySet[] = [];
    const seed = Date.now();
    t.diagnostic(`seed ${seed}`);
    fc.assert(
      fc.property(anyConfiguration, (configuration) => {
        const loaded = load(join(folder, 'haverdict.yaml'), configuration);
        fc.pre(loaded !== undefined);
        const settings = { ...loaded, haproxy: { ...loaded.haproxy, version } };
        const set = { settings, config: wiredConfig(settings), spoe: markedSpoeFile(settings) };
        assert.deepEqual(findingsIn(set), [], `${set.config}\n${set.spoe}`);
        sets.push(set);
      }),
      { seed, numRuns: longRuns(2000, 20), maxSkipsPerRun: 10 },
    );
    for (let at = 0; at < sets.length; at += AT_ONCE) checkAtOnce(binary, folder, sets.slice(at, at + AT_ONCE));
  });
});

/** All of them in one file; if HAProxy complains, each by itself, so that the one it is about is shown. */
function checkAtOnce(binary: string, folder: string, sets: readonly HaproxySet[]): void {
  const texts = sets.map(({ config, spoe }, index) => {
    const spoeFile = `${index}.${SPOE_FILE}`;
    writeFileSync(join(folder, spoeFile), renamed(spoe, index));
    return renamed(config, index).replaceAll(` config ${SPOE_FILE}`, ` config ${spoeFile}`);
  });
  writeFileSync(join(folder, 'haproxy.cfg'), texts.join('\n'));
  const { status, stdout, stderr } = haproxyCheck(binary, folder);
  if (status === 0 && !/\[(WARNING|ALERT)\]/.test(stdout + stderr)) return;
  for (const { config, spoe } of sets) checkHaproxy({ binary, config, spoe });
  assert.fail(`only together: ${stdout}${stderr}`);
}

/** With names of its own for every section. */
function renamed(text: string, index: number): string {
  const names =
    /(?<=^(?:frontend|backend|defaults) | from |use_backend |default_backend |use-backend | table |table_gpt0\()[^\s)]+/gm;
  return text.replace(names, (name) => `${name}-${index}`);
}

/** Undefined for one whose parts rule each other out. */
function load(path: string, configuration: object): Settings | undefined {
  writeFileSync(path, JSON.stringify(configuration));
  try {
    return loadSettings(path, {});
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
