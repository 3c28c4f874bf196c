import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../../config/config-error.ts';
import { loadSettings } from '../../../config/load.ts';
import type { Settings } from '../../../config/settings.ts';
import { checkHaproxy } from '../../../dev/haproxy.ts';
import { markedSpoeFile } from '../../../haproxy/generate/fragment.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { anyConfiguration } from '../../support/configuration-arbitrary.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { longRuns } from '../../support/scope.ts';
import { wiredConfig } from '../../support/wired-config.ts';
import { findingsIn } from './good-files.ts';

describeOnEveryHaproxy('what the wiring generates for any configuration', ({ binary, version }) => {
  it('is taken by HAProxy without a warning, and the doctor finds nothing', (t) => {
    const folder = temporaryFolder(t);
    fc.assert(
      fc.property(anyConfiguration, (configuration) => {
        const settings = load(join(folder, 'haverdict.yaml'), configuration);
        fc.pre(settings !== undefined);
        const files = { settings: { ...settings, haproxy: { ...settings.haproxy, version } } };
        const config = wiredConfig(files.settings);
        const spoe = markedSpoeFile(files.settings);
        checkHaproxy({ binary, config, spoe });
        const found = findingsIn({ ...files, config, spoe });
        assert.deepEqual(found, [], `${config}\n${spoe}`);
      }),
      { numRuns: longRuns(2000, 20), maxSkipsPerRun: 10 },
    );
  });
});

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
