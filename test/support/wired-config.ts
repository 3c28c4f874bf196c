import assert from 'node:assert/strict';
import type { Settings } from '../../config/settings.ts';
import { SPOE_FILE } from '../../dev/haproxy.ts';
import { haproxyFragment } from '../../haproxy/generate/fragment.ts';

/** What an operator has before the wiring comes, with the places where the wiring says that its parts go. */
const OWN = `defaults
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
    mode http
    bind 127.0.0.1:8080
    tcp-request connection reject if { src 192.0.2.66 }
<each frontend that haverdict should guard>
    http-request set-header x-own 1
<below your rule>
<the same frontends, below all>
    default_backend servers

frontend shop
    mode http
    bind 127.0.0.1:8082
<each frontend that haverdict should guard>
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
`;
const END = '\n<at the end of the last file>\n';

/** The operator's file with the whole fragment, each part put where its heading says. */
export function wiredConfig(settings: Settings): string {
  const parts = haproxyFragment(settings, SPOE_FILE)
    .split(/^# Part \d+ of \d+: (.*)$\n/m)
    .slice(1);
  const backends = settings.haproxy.backends.map((name) => `\nbackend ${name}\n    mode http\n<each HTTP backend>\n`);
  let config = OWN + backends.join('') + END;
  for (let at = 0; at < parts.length; at += 2) {
    const [heading = '', text = ''] = parts.slice(at);
    const places = new Set([...config.matchAll(/^<(.*)>$/gm)].map(([, place = '']) => place));
    const [place, ...others] = [...places].filter((place) => heading.includes(place));
    assert.ok(place !== undefined && others.length === 0, `where is "${heading}"?`);
    const lines = `${sentBy(heading)}${text}`;
    // several groups can be sent at one place
    config = config.replaceAll(`<${place}>`, () => (place === 'below your rule' ? `${lines}<${place}>` : lines));
  }
  return config.replace(/^<.*>$/gm, '');
}

/** The rule that sends a group, which the wiring leaves to the operator. */
function sentBy(heading: string): string {
  const [, rule] = /, such as (http-request .*)$/.exec(heading) ?? [];
  return rule === undefined ? '' : `    ${rule}\n`;
}
