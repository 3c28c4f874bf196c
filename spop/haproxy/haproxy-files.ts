import { parseAddress } from '../address.ts';
import { checkDeadline, DEFAULT_DEADLINE_MS } from '../agent/deadline.ts';
import { checkName, checkObject, checkOptions, checkText, wrong } from '../options.ts';
import type { ListenAddress } from '../server/listen-address.ts';
import { type ListenOptions, toAddress } from '../server/listen-options.ts';
import { agentsSection } from './agents-section.ts';
import { MAX_SERVER_PATH_BYTES } from './server-address.ts';
import { agentSection, messageSection } from './spoe-sections.ts';
import { isCondition, wordsOf } from './words.ts';

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

const WIRING = ['name', 'listen', 'messages', 'deadlineMs', 'spoePath', 'chroot'];
const MESSAGE = ['args', 'event', 'if'];
const NAME = /^[A-Za-z0-9_.]{1,18}$/;
const PATH = /^\/[A-Za-z0-9_./@:+-]{1,1000}$/;
const PATH_RULE = 'an absolute path of A-Z a-z 0-9 _ . @ : + - and /';
/** Without colons, so that it is no address; only digits and dots would be one. */
const HOST = /^(?![0-9.]*$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/;
/** HAProxy takes 64 words and 2048 bytes a line; the rest of the line is within what this leaves. */
const MAX_EXPRESSION = 1900;
const MAX_CONDITION_WORDS = 60;
/** Their number is one byte on the wire. */
const MAX_ARGUMENTS = 255;

/** The variables that HAProxy itself sets. */
const VARIABLES = { error: 'error', processTime: 'process_ms', totalTime: 'total_ms' };

/**
 * Writes HAProxy's configuration for an agent, by the same generator as that of haverdict itself. Throws a `TypeError` for
 * what HAProxy would refuse, or would read as something else. Only names of hosts, and what an expression or the braces of a
 * condition ask for, are HAProxy's to judge: `haproxy -c` does.
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
  checkOptions('haproxyFiles', wiring, WIRING);
  const { name = 'agent', listen, messages, deadlineMs = DEFAULT_DEADLINE_MS, chroot } = wiring;
  const { spoePath = `/etc/haproxy/${name}.spoe.cfg` } = wiring;
  checkText('haproxyFiles: name', name, NAME, '1 to 18 of A-Z a-z 0-9 _ and .');
  checkText('haproxyFiles: spoePath', spoePath, PATH, PATH_RULE);
  checkDeadline('haproxyFiles', deadlineMs);
  if (chroot !== undefined) checkText('haproxyFiles: chroot', chroot, PATH, PATH_RULE);
  checkObject(
    'haproxyFiles: messages',
    messages,
    "an object of messages by name: { 'check-request': { args: { ip: 'src' } } }",
  );
  if (Object.keys(messages).length === 0) throw new TypeError('haproxyFiles: messages: must have one message or more');
  const addresses = [listen].flat().map((one) => addressFor(one, chroot?.replace(/\/+$/, '')));
  if (addresses.length === 0) throw new TypeError('haproxyFiles: listen: must have one address or more');
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
    backend: agentsSection({ name: backend, addresses, chroot: undefined, isNative: false, keepsHung: false }),
  };
}

/** The address as HAProxy has to write it. */
function addressFor(given: ListenOptions, chroot: string | undefined): ListenAddress {
  const where = 'haproxyFiles: listen';
  const address = toAddress(where, given);
  if (address.type === 'tcp') {
    if (address.port === 0) throw wrong(`${where}: port`, 0, 'the port on which the agent listens');
    if (parseAddress(address.host) === undefined)
      checkText(`${where}: host`, address.host, HOST, 'a host name or an address');
    return address;
  }
  checkText(`${where}: path`, address.path, PATH, PATH_RULE);
  if (chroot !== undefined && !address.path.startsWith(`${chroot}/`))
    throw wrong(`${where}: path`, address.path, `below ${chroot}/, as HAProxy with that chroot reaches nothing else`);
  const path = address.path.slice(chroot?.length ?? 0);
  if (path.length > MAX_SERVER_PATH_BYTES)
    throw new TypeError(`${where}: path has ${path.length} bytes: HAProxy takes at most ${MAX_SERVER_PATH_BYTES}`);
  return { ...address, path };
}

function sectionOf(message: string, wiring: MessageWiring): string {
  checkName('haproxyFiles: the name of a message', message);
  const where = `haproxyFiles: message "${message}"`;
  checkOptions(where, wiring, MESSAGE);
  const { args = {}, event = 'on-frontend-http-request', if: condition } = wiring;
  checkObject(`${where}: args`, args, "an object of expressions by name: { ip: 'src' }");
  if (!SPOE_EVENTS.includes(event)) throw wrong(`${where}: event`, event, `one of ${SPOE_EVENTS.join(', ')}`);
  const given = Object.entries(args).map(([name, expression]) => ({ name, expression }));
  if (given.length > MAX_ARGUMENTS)
    throw new TypeError(`${where}: args: must be at most ${MAX_ARGUMENTS}, not ${given.length}`);
  for (const { name, expression } of given) {
    checkName(`${where}: a name in args`, name);
    if (typeof expression !== 'string' || expression.length > MAX_EXPRESSION || wordsOf(expression)?.[0] !== expression)
      throw wrong(`${where}: args.${name}`, expression, 'one expression of HAProxy: without blanks outside of quotes');
  }
  if (condition === undefined) return messageSection({ name: message, args: given, event });
  const words = typeof condition === 'string' && condition.length <= MAX_EXPRESSION ? wordsOf(condition) : undefined;
  if (words === undefined || words.length > MAX_CONDITION_WORDS || !isCondition(words))
    throw wrong(
      `${where}: if`,
      condition,
      "a condition in braces, without if: '{ path_beg /api/ } !{ src 10.0.0.0/8 }'",
    );
  return messageSection({ name: message, args: given, event: `${event} if ${condition}` });
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
