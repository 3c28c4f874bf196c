import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadSections } from '../../config/load.ts';
import { configFile } from '../support/config-file.ts';

const DEFAULTS = { protected: [], protectPrivate: true, maxChange: 0.5 };

describe('a part of the configuration', () => {
  it('needs no backend, and nothing else of the file to be right', (t) => {
    const file = configFile(t, 'cache: wrong\nblocklist: { protected: [203.0.113.7], manualExpiry: 30d }\n');
    const { blocklist } = loadSections(['blocklist'], file, {});
    assert.deepEqual(blocklist, { ...DEFAULTS, protected: ['203.0.113.7'], manualExpiry: '30d' });
  });

  it('is its defaults without a file and in an empty one', (t) => {
    assert.deepEqual(loadSections(['blocklist'], undefined, {}).blocklist, DEFAULTS);
    assert.deepEqual(loadSections(['blocklist', 'lists'], configFile(t, ''), {}), {
      blocklist: DEFAULTS,
      lists: ['manual'],
    });
  });

  it('takes what the environment says instead', (t) => {
    const file = configFile(t, 'blocklist: { protectPrivate: true, maxChange: 0.1 }\n');
    const env = { HAVERDICT_BLOCKLIST_PROTECT_PRIVATE: 'false', HAVERDICT_BLOCKLIST_MAX_CHANGE: '0.25' };
    assert.deepEqual(loadSections(['blocklist'], file, env).blocklist, {
      ...DEFAULTS,
      protectPrivate: false,
      maxChange: 0.25,
    });
  });

  const wrong = [
    [
      'protected: [203.0.113.256]',
      /blocklist\.protected\[0\]: must be an address or a network like 192\.0\.2\.0\/24, got "203\.0\.113\.256"/,
    ],
    ['protectPrivat: false', /:1:14: blocklist\.protectPrivat: unknown setting, did you mean protectPrivate\?/],
    ['maxChange: 2', /must be a number from 0 to 1, got 2/],
    ['manualExpiry: 30', /must be a duration up to 9999d, like 12h or 30d, got 30/],
  ] as const;
  for (const [yaml, message] of wrong)
    it(`says what would be right: ${yaml}`, (t) => {
      assert.throws(() => loadSections(['blocklist'], configFile(t, `blocklist: { ${yaml} }\n`), {}), { message });
    });

  it('is wrong where the file is no map', (t) => {
    assert.throws(() => loadSections(['blocklist'], configFile(t, '- a\n'), {}), { message: /must be a map/ });
  });
});
