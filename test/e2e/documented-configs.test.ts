import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadSettings } from '../../agent/config/load.ts';
import type { Settings } from '../../agent/config/settings.ts';
import { haproxyFragment } from '../../agent/wiring/rules.ts';
import { spoeFile } from '../../agent/wiring/spoe.ts';
import { checkHaproxy, SPOE_FILE } from '../../dev/haproxy.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';

const root = join(import.meta.dirname, '..', '..');
/** What an operator has before the wiring comes. */
const OWN = `defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
    bind 127.0.0.1:8080
`;

describeOnEveryHaproxy('the wiring of each documented config, taken without a warning', ({ binary, version }) => {
  for (const { name, yaml } of documentedConfigs())
    it(name, () => {
      const loaded = load(yaml);
      const settings = { ...loaded, haproxy: { ...loaded.haproxy, version } };
      const [rules = '', backend = ''] = haproxyFragment(settings, SPOE_FILE).split(/^# Part 2 of 2.*$/m);
      assert.match(backend, /^\nbackend haverdict-agents$/m);
      const config = `${OWN}${rules}    http-request return status 200\n${backend}`;
      checkHaproxy({ binary, config, spoe: spoeFile(settings) });
    });
});

/** Whatever YAML the documents show is a configuration, or a part of one. */
function documentedConfigs(): { name: string; yaml: string }[] {
  return globSync(['README.md', 'docs/**/*.md'], { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^( *)```yaml\n([\s\S]*?)^\1```/gm)].map(
      ([, , yaml = ''], index) => ({ name: `${file}, ${index + 1}`, yaml }),
    ),
  );
}

function load(yaml: string): Settings {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-documented-'));
  try {
    const file = join(folder, 'haverdict.yaml');
    writeFileSync(file, yaml);
    const hasBackend = /^ *backend:/m.test(yaml);
    return loadSettings(file, hasBackend ? {} : { HAVERDICT_BACKEND_URL: 'http://127.0.0.1:8787' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
