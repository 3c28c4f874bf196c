import { DEFAULT_DEADLINE_MS } from '../agent/deadlines.ts';
import { type ListenOptions, toAddress } from '../server/listen-options.ts';
import { agentsSection } from './agents-section.ts';
import { agentSection, messageSection } from './spoe-sections.ts';

/**
 * When HAProxy sends a message (SPOE.txt 2.4).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { SPOE_EVENTS } from 'haverdict-spop';
 *
 * assert.ok(SPOE_EVENTS.includes('on-http-response'));
 * ```
 */
export const SPOE_EVENTS = [
  'on-client-session',
  'on-server-session',
  'on-frontend-tcp-request',
  'on-backend-tcp-request',
  'on-tcp-response',
  'on-frontend-http-request',
  'on-backend-http-request',
  'on-http-response',
] as const;

/**
 * When HAProxy sends a message.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { haproxyFiles, type SpoeEvent } from 'haverdict-spop';
 *
 * const event: SpoeEvent = 'on-http-response';
 * const { spoe } = haproxyFiles({ listen: { port: 9000 }, messages: { 'check-response': { event, args: { status: 'status' } } } });
 * assert.match(spoe, /event on-http-response/);
 * ```
 */
export type SpoeEvent = (typeof SPOE_EVENTS)[number];

/**
 * What HAProxy sends in a message, and when.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { haproxyFiles, type MessageWiring } from 'haverdict-spop';
 *
 * const checkApi: MessageWiring = { args: { ip: 'src', key: 'req.hdr(x-api-key)' }, if: '{ path_beg /api/ }' };
 * const { spoe } = haproxyFiles({ listen: { port: 9000 }, messages: { 'check-api': checkApi } });
 * assert.match(spoe, /event on-frontend-http-request if { path_beg \/api\/ }/);
 * ```
 */
export interface MessageWiring {
  /** The arguments by name, each with the expression of HAProxy for its value: `{ ip: 'src', agent: 'req.fhdr(user-agent)' }`. */
  readonly args?: Readonly<Record<string, string>>;
  /** `on-frontend-http-request` if it is absent. */
  readonly event?: SpoeEvent;
  /** A condition in HAProxy's syntax, as `{ path_beg /api/ }`: the message is sent only where it is true. */
  readonly if?: string;
}

/**
 * An agent, as HAProxy's configuration is to know it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type AgentWiring, haproxyFiles } from 'haverdict-spop';
 *
 * const wiring: AgentWiring = {
 *   name: 'guard',
 *   listen: { path: '/run/guard/agent.sock' },
 *   messages: { 'check-request': { args: { ip: 'src' } } },
 *   deadlineMs: 100,
 * };
 * assert.match(haproxyFiles(wiring).spoe, /timeout processing 120ms/);
 * ```
 */
export interface AgentWiring {
  /** Up to 18 of `A-Z a-z 0-9 _ .`: the engine, and the prefix of its variables. `agent` if it is absent. */
  readonly name?: string;
  /** Where HAProxy reaches it; several are asked in turn. */
  readonly listen: ListenOptions | readonly ListenOptions[];
  readonly messages: Readonly<Record<string, MessageWiring>>;
  /** That of `createAgent`: HAProxy waits 20 ms longer. */
  readonly deadlineMs?: number;
  /** The path of the SPOE file on HAProxy's host; `/etc/haproxy/NAME.spoe.cfg` if it is absent. */
  readonly spoePath?: string;
  /** That of HAProxy's `global` section, if it has one: paths of sockets in it are written as HAProxy sees them. */
  readonly chroot?: string;
}

/**
 * The parts of HAProxy's configuration for an agent; they are valid on HAProxy 2.4 to 3.5.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type HaproxyFiles, haproxyFiles } from 'haverdict-spop';
 *
 * const files: HaproxyFiles = haproxyFiles({ listen: { port: 9000 }, messages: { ask: {} } });
 * assert.deepEqual(Object.keys(files), ['spoe', 'frontend', 'backend']);
 * ```
 */
export interface HaproxyFiles {
  /** The SPOE file, whole. */
  readonly spoe: string;
  /** Lines for each frontend whose requests the agent is asked about. */
  readonly frontend: string;
  /** Sections for the end of the configuration: a `defaults` section is among them. */
  readonly backend: string;
}

/** What goes into names and words of the files without quoting. */
const WORD = /^[A-Za-z0-9_.:-]+$/;
const NAME = /^[A-Za-z0-9_.]{1,18}$/;
/** HAProxy reads the line in words; a hash begins a comment. */
const EXPRESSION = /^[\x21\x22\x24-\x7e]+$/;
const LINE = /^[\x20-\x7e]+$/;
const PATH = /^\/[A-Za-z0-9_./@:+-]+$/;

/** The variables that HAProxy itself sets. */
const VARIABLES = { error: 'error', processTime: 'process_ms', totalTime: 'total_ms' };

/**
 * Writes HAProxy's configuration for an agent, by the same generator as that of haverdict itself. Throws a `TypeError` for
 * what HAProxy would refuse, or would read as something else.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { haproxyFiles } from 'haverdict-spop';
 *
 * const { spoe, frontend, backend } = haproxyFiles({
 *   listen: { port: 9000 },
 *   messages: { 'check-request': { args: { ip: 'src', path: 'path' } } },
 * });
 * assert.match(spoe, /^spoe-message check-request\n {4}args ip=src\n {4}args path=path$/m);
 * assert.match(frontend, /filter spoe engine agent config \/etc\/haproxy\/agent\.spoe\.cfg/);
 * assert.match(backend, /server agent1 127\.0\.0\.1:9000 check/);
 * assert.throws(() => haproxyFiles({ name: 'my-agent', listen: { port: 9000 }, messages: { ask: {} } }), TypeError);
 * ```
 */
export function haproxyFiles(wiring: AgentWiring): HaproxyFiles {
  const { name = 'agent', listen, messages, deadlineMs = DEFAULT_DEADLINE_MS, chroot } = wiring;
  const { spoePath = `/etc/haproxy/${name}.spoe.cfg` } = wiring;
  expect(NAME, name, 'name', 'must be 1 to 18 of A-Z a-z 0-9 _ and .');
  expect(PATH, spoePath, 'spoePath', 'must be an absolute path of A-Z a-z 0-9 _ . @ : + - and /');
  if (typeof messages !== 'object' || messages === null || Object.keys(messages).length === 0)
    throw new TypeError('messages: must have one message or more');
  const addresses = [listen].flat().map(toAddress);
  if (addresses.length === 0) throw new TypeError('listen: must have one address or more');
  for (const address of addresses)
    if (address.type === 'unix')
      expect(PATH, address.path, 'listen', 'must be a path of A-Z a-z 0-9 _ . @ : + - and /');
    else expect(WORD, address.host, 'listen', 'must be a host name or an address');
  const backend = `${name}-agents`;
  const agent = agentSection({
    engine: name,
    agent: `${name}-agent`,
    messages: Object.keys(messages),
    groups: [],
    prefix: name,
    variables: VARIABLES,
    deadlineMs,
    backend,
    isNative: false,
  });
  return {
    spoe: [agent, ...Object.entries(messages).map(([message, given]) => sectionOf(message, given))].join('\n'),
    frontend: frontendOf(name, spoePath),
    backend: agentsSection({ name: backend, addresses, chroot, isNative: false, keepsHung: false }),
  };
}

function sectionOf(message: string, { args = {}, event = 'on-frontend-http-request', if: condition }: MessageWiring) {
  expect(WORD, message, `message "${message}"`, 'must be of A-Z a-z 0-9 _ . : and -');
  if (!SPOE_EVENTS.includes(event))
    throw new TypeError(`event of "${message}": "${event}" must be one of ${SPOE_EVENTS.join(', ')}`);
  for (const [name, expression] of Object.entries(args)) {
    expect(WORD, name, `args of "${message}"`, 'must have names of A-Z a-z 0-9 _ . : and -');
    expect(EXPRESSION, expression, `args.${name} of "${message}"`, 'must be one expression of HAProxy, without spaces');
  }
  if (condition !== undefined) expect(LINE, condition, `if of "${message}"`, 'must be one line of printable ASCII');
  return messageSection({
    name: message,
    args: Object.entries(args).map(([name, expression]) => ({ name, expression })),
    event: condition === undefined ? event : `${event} if ${condition}`,
  });
}

function frontendOf(name: string, spoePath: string): string {
  return [
    `    filter spoe engine ${name} config ${spoePath}`,
    `    # in the rules below this, what the agent sets is txn.${name}.VARIABLE`,
    '    # refuses requests about which the agent could not be asked; without this rule, they pass',
    `    http-request deny deny_status 503 if { var(txn.${name}.${VARIABLES.error}) -m found }`,
    '',
  ].join('\n');
}

function expect(pattern: RegExp, value: string, where: string, right: string): void {
  if (!pattern.test(value)) throw new TypeError(`${where}: "${value}" ${right}`);
}
