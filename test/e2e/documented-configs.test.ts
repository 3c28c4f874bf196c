import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadSettings } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { checkHaproxy } from '../../dev/haproxy.ts';
import { markedSpoeFile } from '../../haproxy/generate/fragment.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { wiredConfig } from '../support/wired-config.ts';

const root = join(import.meta.dirname, '..', '..');
describeOnEveryHaproxy('the wiring of each documented config, taken without a warning', ({ binary, version }) => {
  for (const { name, yaml } of documentedConfigs())
    it(name, () => {
      const { haproxy, ...loaded } = load(yaml);
      const settings = { ...loaded, haproxy: { ...haproxy, version, denyPages: onThisMachine(haproxy.denyPages) } };
      checkHaproxy({ binary, config: wiredConfig(settings), spoe: markedSpoeFile(settings) });
    });
});

/** HAProxy wants the files to be there. */
function onThisMachine(pages: Settings['haproxy']['denyPages']): Settings['haproxy']['denyPages'] {
  return pages.map((page) => ({ ...page, file: import.meta.filename }));
}

/** Whatever YAML the documents show is a configuration, or a part of one; that of a deployment says so in its first line. */
function documentedConfigs(): { name: string; yaml: string }[] {
  const all = globSync(['README.md', 'docs/**/*.md'], { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^( *)```yaml\n([\s\S]*?)^\1```/gm)].map(
      ([, , yaml = ''], index) => ({ name: `${file}, ${index + 1}`, yaml }),
    ),
  );
  return all.filter(({ yaml }) => !yaml.startsWith('# deploy.yaml\n'));
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
