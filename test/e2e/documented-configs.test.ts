import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadSettings } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { checkHaproxy, SPOE_FILE } from '../../dev/haproxy.ts';
import { haproxyFragment, markedSpoeFile } from '../../haproxy/generate/fragment.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';

const root = join(import.meta.dirname, '..', '..');
/** What an operator has before the wiring comes, with the places where the wiring says that its parts go. */
const OWN = `defaults
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
    mode http
    bind 127.0.0.1:8080
<each frontend that haverdict should guard>
    http-request set-header x-own 1
<below your rule>
<the same frontends, below all>
    default_backend servers

backend servers
    mode http
<each HTTP backend>
    http-request return status 200

frontend ports
    mode tcp
    bind 127.0.0.1:8081
<each frontend in mode tcp>
    default_backend tcp-servers

backend tcp-servers
    mode tcp
<each backend in mode tcp>

<next to the other backends>
`;

describeOnEveryHaproxy('the wiring of each documented config, taken without a warning', ({ binary, version }) => {
  for (const { name, yaml } of documentedConfigs())
    it(name, () => {
      const { haproxy, ...loaded } = load(yaml);
      const settings = { ...loaded, haproxy: { ...haproxy, version, denyPages: onThisMachine(haproxy.denyPages) } };
      const backends = haproxy.backends.map((backend) => `\nbackend ${backend}\n    mode http\n`).join('');
      const config = withParts(OWN, haproxyFragment(settings, SPOE_FILE)) + backends;
      checkHaproxy({ binary, config, spoe: markedSpoeFile(settings) });
    });
});

/** The operator's file, each part of the fragment put where its heading says. */
function withParts(own: string, fragment: string): string {
  const parts = fragment.split(/^# Part \d+ of \d+: (.*)$\n/m).slice(1);
  let config = own;
  for (let at = 0; at < parts.length; at += 2) {
    const [heading = '', text = ''] = parts.slice(at);
    const places = [...config.matchAll(/^<(.*)>$/gm)].filter(([, place = '']) => heading.includes(place));
    assert.equal(places.length, 1, `where is "${heading}"?`);
    config = config.replace(places[0]?.[0] ?? '', () => text);
  }
  return config.replace(/^<.*>$/gm, '');
}

/** HAProxy wants the files to be there. */
function onThisMachine(pages: Settings['haproxy']['denyPages']): Settings['haproxy']['denyPages'] {
  return pages.map((page) => ({ ...page, file: import.meta.filename }));
}

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
