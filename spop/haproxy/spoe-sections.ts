/** How much longer than the agent's deadline HAProxy waits: for the way of the answer and for event loop lag. */
export const PROCESSING_MARGIN_MS = 20;

/** Idle connections to the agent are closed after this; the backend's `timeout server` must be longer. */
export const IDLE_SECONDS = 120;

/** HAProxy takes 64 words and 2048 bytes a line, and adds up several lines with names. */
const NAMES_A_LINE = 25;

/** What the `spoe-agent` section of a SPOE file says. */
export interface SpoeAgent {
  /** The scope of the file, named on the `filter` line. */
  readonly engine: string;
  readonly agent: string;
  readonly messages: readonly string[];
  readonly groups: readonly string[];
  /** The part of the names of variables between scope and name. */
  readonly prefix: string;
  /** The names under which HAProxy sets why there was no answer, and how long the answers took. */
  readonly variables: { readonly error: string; readonly processTime: string; readonly totalTime: string };
  readonly deadlineMs: number;
  readonly backend: string;
  /** Whether only HAProxy 3.1 and later read it, which ignore what older ones need. */
  readonly isNative: boolean;
}

/** An argument of a message: its name on the wire, and the expression of HAProxy for its value. */
export interface SpoeArgument {
  readonly name: string;
  readonly expression: string;
}

/** A `spoe-message` section. */
export interface SpoeMessage {
  readonly name: string;
  readonly args: readonly SpoeArgument[];
  /** ACLs of the section. */
  readonly acls?: readonly string[];
  /** The event with its condition; absent where a group sends the message. */
  readonly event?: string | undefined;
}

export function agentSection(agent: SpoeAgent): string {
  const processing = `${agent.deadlineMs + PROCESSING_MARGIN_MS}ms`;
  return lines([
    `[${agent.engine}]`,
    '',
    `spoe-agent ${agent.agent}`,
    ...listOf('messages', agent.messages),
    ...listOf('groups', agent.groups),
    `    option var-prefix ${agent.prefix}`,
    `    option set-on-error ${agent.variables.error}`,
    `    option set-process-time ${agent.variables.processTime}`,
    `    option set-total-time ${agent.variables.totalTime}`,
    '    option dontlog-normal',
    ...(agent.isNative ? [] : olderSettings(processing)),
    `    # the agent answers within ${agent.deadlineMs}ms`,
    `    timeout processing ${processing}`,
    `    use-backend ${agent.backend}`,
    '    log global',
  ]);
}

export function messageSection({ name, args, acls = [], event }: SpoeMessage): string {
  return lines([
    `spoe-message ${name}`,
    ...bodyLimits(args.map(({ expression }) => expression)),
    // one line each: HAProxy takes 64 words and 2048 bytes a line, and adds up several args lines
    ...args.map(({ name, expression }) => `    args ${name}=${expression}`),
    ...acls.map((acl) => `    ${acl}`),
    ...(event === undefined ? [] : [`    event ${event}`]),
  ]);
}

export function groupSection(group: string, message: string): string {
  return lines([`spoe-group ${group}`, `    messages ${message}`]);
}

/** HAProxy 3.1 and later ignore these. */
function olderSettings(processing: string): string[] {
  return [
    '    # an ACK may only come on the connection of its NOTIFY, or a lost connection costs the whole timeout',
    '    no option async',
    '    # a message that is too large is one error, not a storm of connections',
    '    no option send-frag-payload',
    `    timeout hello ${processing}`,
    `    timeout idle ${IDLE_SECONDS}s`,
  ];
}

/** Sizes with HAProxy's default buffers (seen on 2.4 to 3.5). */
function bodyLimits(expressions: readonly string[]): string[] {
  return [
    ...(expressions.some((expression) => /\breq\.body/.test(expression))
      ? [
          '    # the part of the body that fits into a buffer with the headers: up to 15 kB, or more with tune.bufsize in global;',
          '    # if all arguments together exceed max-frame-size (tune.bufsize - 4), the agent is not asked: error 3',
        ]
      : []),
    ...(expressions.some((expression) => /\bres\.body/.test(expression))
      ? ['    # the part of the body that came with the headers: often nothing']
      : []),
  ];
}

function listOf(keyword: string, names: readonly string[]): string[] {
  return names.length === 0
    ? []
    : [`    ${keyword} ${names.slice(0, NAMES_A_LINE).join(' ')}`, ...listOf(keyword, names.slice(NAMES_A_LINE))];
}

function lines(of: readonly string[]): string {
  return `${of.join('\n')}\n`;
}
