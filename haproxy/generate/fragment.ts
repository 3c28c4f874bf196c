import type { Settings } from '../../config/settings.ts';
import { agentsBackend } from './agents-backend.ts';
import { backendRules } from './backend-rules.ts';
import {
  DEFAULT_SPOE_PATH,
  frontendLines,
  frontendRoutes,
  isSentByOperator,
  logLines,
  obeyingRules,
  sendRule,
} from './frontend.ts';
import { type FoundPart, type MarkedPart, marked } from './marks.ts';
import { spoeFile } from './spoe.ts';
import { indent } from './syntax.ts';
import { tcpBackendRules, tcpFrontendRoutes, tcpFrontendRules } from './tcp.ts';

export const SPOE_PART = 'spoe';
/** The parts that a configuration can have, beside one for each group; those of haproxy.cfg stand there in this order. */
const PART_NAMES = ['frontend', 'routes', 'backend', 'tcp-frontend', 'tcp-backend', 'agents', SPOE_PART] as const;
export const FRONTENDS: readonly string[] = ['frontend', 'tcp-frontend'] satisfies readonly PartName[];
type PartName = (typeof PART_NAMES)[number] | `group-${string}`;

interface Part extends MarkedPart {
  readonly name: PartName;
  /** Where the operator puts these lines. */
  readonly where: string;
  /** Lines below the part that the operator may take over. */
  readonly note?: string;
  /** The part beside which this one is needed; where none is named, it is needed once in any case. */
  readonly beside?: string;
}

/** HAProxy accepts these filters without a line only where no other filter is. */
const FILTER_LINES = [
  '# with FastCGI, a cache or compression in this section or its defaults, HAProxy also wants their lines, in this order:',
  '# filter fcgi-app NAME, filter cache NAME, filter compression',
];

/** Everything that HAProxy needs beside the SPOE file: lines for the operator's sections, and the backend of the agents. */
export function haproxyFragment(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  const parts = fragmentParts(settings, spoePath);
  return parts
    .map(
      ({ where, note = '', ...part }, index) =>
        `# Part ${index + 1} of ${parts.length}: ${where}\n${marked(part)}${note}`,
    )
    .join('\n');
}

/** Only the operator knows the modes of the backends. */
function tcpRouteLines(settings: Settings): string[] {
  const routes = tcpFrontendRoutes(settings).map((route) => `# ${route}`);
  return routes.length === 0
    ? []
    : ['# to route connections, those of these lines whose backend is in mode tcp:', ...routes];
}

/** The SPOE file between marks. */
export function markedSpoeFile(settings: Settings): string {
  return marked({ name: SPOE_PART, text: spoeFile(settings) });
}

/** What is wrong with the name of a part that no configuration has; undefined for all others. */
export function unknownName(name: string): string | undefined {
  if (name.startsWith('group-') || PART_NAMES.some((known) => known === name)) return undefined;
  return `there is no part ${name}: its name is one of ${PART_NAMES.join(', ')}, or group-NAME`;
}

/** What belongs where this was found: without lines where the configuration has no such part any more. */
export function partFor({ name, lines }: FoundPart, settings: Settings, spoePath = spoePathIn(lines)): MarkedPart {
  if (name === SPOE_PART) return { name, text: spoeFile(settings) };
  return fragmentParts(settings, spoePath).find((part) => part.name === name) ?? { name, text: '' };
}

/** The file that the `filter` line of a part names; another one where it has none. */
export function spoePathIn(lines: readonly string[], otherwise = DEFAULT_SPOE_PATH): string {
  const [, word] =
    lines.map((line) => /^\s*filter spoe .*\bconfig ((?:\\.|[^\s\\])+)/.exec(line)).find((found) => found !== null) ??
    [];
  return word === undefined ? otherwise : word.replace(/\\(.)/g, '$1');
}

/** The parts that are needed beside those of these names and are not among them. */
export function missingParts(settings: Settings, names: ReadonlySet<string>): string[] {
  const parts = fragmentParts(settings, DEFAULT_SPOE_PATH);
  const needed = parts.filter(({ name, beside }) =>
    beside === undefined ? !FRONTENDS.includes(name) : names.has(beside),
  );
  const frontends = FRONTENDS.some((name) => names.has(name))
    ? []
    : parts
        .filter(({ name }) => FRONTENDS.includes(name))
        .map(({ name }) => name)
        .slice(0, 1);
  return [...frontends, ...needed.map(({ name }) => name)].filter((name) => !names.has(name));
}

/** The parts of the fragment that this configuration needs. */
function fragmentParts(settings: Settings, spoePath: string): Part[] {
  const apart = settings.messages.filter(isSentByOperator);
  const parts: Part[] = [
    {
      name: 'frontend',
      where:
        'put these lines into each frontend that haverdict should guard, below its tcp-request rules and above its http-request rules.',
      text: indent(frontendLines(settings, spoePath, apart)),
      note: indent([...FILTER_LINES, ...logLines(settings)]),
    },
    ...apart.map(
      (message): Part => ({
        name: `group-${message.group}`,
        beside: 'frontend',
        where: `put these lines into the same frontends, below your rule that sends group ${message.group}, such as ${sendRule(settings.haproxy, message)}`,
        text: indent(obeyingRules(settings.haproxy, message)),
      }),
    ),
    {
      name: 'routes',
      beside: 'frontend',
      where:
        'put these lines into the same frontends, below all http-request rules and above all other use_backend rules.',
      text: frontendRoutes(settings),
    },
    {
      name: 'backend',
      beside: 'frontend',
      where: 'put these lines into each HTTP backend that those frontends use, above its http-request rules.',
      text: backendRules(settings),
    },
    {
      name: 'tcp-frontend',
      where:
        'put these lines into each frontend in mode tcp that haverdict should guard, above its tcp-request content rules.',
      text: tcpFrontendRules(settings, spoePath),
      note: indent([...FILTER_LINES, ...tcpRouteLines(settings)]),
    },
    {
      name: 'tcp-backend',
      beside: 'tcp-frontend',
      where: 'put these lines into each backend in mode tcp that those frontends use.',
      text: tcpBackendRules(settings),
    },
    {
      name: 'agents',
      where:
        'put these two sections at the end of the last file, once: sections below would take these defaults for theirs.',
      text: agentsBackend(settings),
    },
  ];
  return parts.filter(({ text }) => text !== '');
}
