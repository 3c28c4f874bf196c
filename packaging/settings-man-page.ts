import { type KnownSetting, knownSettings } from '../config/catalogue.ts';
import { filled, pageHead, tagged } from './roff.ts';

/** haverdict.yaml(5), from the catalogue of settings. */
export function settingsPage(version: string, epochSeconds: number): string {
  return `${[
    ...pageHead('haverdict.yaml', 5, version, epochSeconds),
    '.SH NAME',
    'haverdict.yaml \\- configuration of the haverdict agent',
    '.SH DESCRIPTION',
    'One YAML file for the agent; HAProxy\\(aqs configuration is generated from it.',
    'An unknown key, a duplicate key and a value out of range are errors.',
    '.B haverdict agent \\-\\-check \\-c',
    '.I FILE',
    'prints all of them, one per line.',
    '.PP',
    'Environment variables override the file; lists in them are separated by commas.',
    '.SH SETTINGS',
    ...knownSettings().flatMap(describeSetting),
    '.SH EXAMPLE',
    '.EX',
    'listen:',
    '  \\- { unix: /run/haverdict/agent.sock, group: haproxy }',
    'backend:',
    '  url: https://function\\-url.example/',
    '  auth: iam',
    '  region: eu\\-central\\-1',
    'lists: [manual]',
    '.EE',
    '.SH SEE ALSO',
    '.BR haverdict (1)',
  ].join('\n')}\n`;
}

function describeSetting({ path, mustBe, meaning, fallback, variable, noVariable }: KnownSetting): string[] {
  const facts = [
    `Must be ${mustBe}.`,
    ...(fallback === undefined ? [] : [`Default: ${JSON.stringify(fallback)}.`]),
    variable === undefined ? `Environment: none, as ${noVariable}.` : `Environment: ${variable}.`,
  ];
  return tagged(path.join('.'), ...filled(meaning), '.br', ...facts.flatMap(filled));
}
