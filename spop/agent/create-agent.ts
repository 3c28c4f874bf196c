import { type SpopError, SpopStatus } from '../errors.ts';
import type { CurrentHandler } from '../notify-handler.ts';
import { checkName, checkObject, checkOptions, checkWhole, wrong } from '../options.ts';
import { ConnectionLimiter, type ExceededLimit } from '../server/connection-limiter.ts';
import { ListenError } from '../server/listen-error.ts';
import { type ListenOptions, toAddress } from '../server/listen-options.ts';
import { Listener, type ListenerEvents } from '../server/listener.ts';
import { type Clock, systemClock } from '../transport.ts';
import { AgentError } from './agent-error.ts';
import { AgentHandler } from './agent-handler.ts';
import { checkDeadline, DEFAULT_DEADLINE_MS } from './deadline.ts';
import { DeclaredMessage, type MessageFunction } from './message.ts';
import type { Fallback } from './message-call.ts';
import { StderrReport } from './stderr-report.ts';
import { isThenable } from './thenable.ts';

/** Node runs longer timers at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** How long `close` waits for HAProxy to take the last answers. */
const CLOSE_LIMIT_MS = 5_000;

/**
 * The functions of an agent, by the names of the messages that they answer.
 *
 * @example
 * ```ts
 * import { type AgentFunctions, createAgent, message } from 'haverdict-spop';
 *
 * const functions: AgentFunctions = {
 *   'check-request': ({ args, set }) => set('is_local', args.ip === '127.0.0.1'),
 *   'check-response': message({ args: { status: 'integer' } }, ({ args, set }) => set('failed', (args.status ?? 0) >= 500)),
 * };
 * createAgent(functions);
 * ```
 */
export type AgentFunctions = Readonly<Record<string, MessageFunction | DeclaredMessage>>;

/**
 * What can be said about an agent beside its functions.
 *
 * @example
 * ```ts
 * import { type AgentOptions, createAgent } from 'haverdict-spop';
 *
 * const options: AgentOptions = {
 *   deadlineMs: 100,
 *   fallback: ({ set }) => set('action', 'allow'),
 *   onError: ({ code, message }) => console.error(code, message),
 * };
 * createAgent({ 'check-request': ({ set }) => set('action', 'deny') }, options);
 * ```
 */
export interface AgentOptions {
  /**
   * How long a function may take, in milliseconds: 500 if this is absent. Then `fallback` answers. HAProxy's
   * `timeout processing` has to be longer, since HAProxy does not tell when it has given up.
   */
  readonly deadlineMs?: number;
  /** Sets the variables of a message that its function does not answer; without it such an answer is empty. */
  readonly fallback?: Fallback;
  /** Gets what goes wrong without ending the agent; without it, standard error has each kind once a minute. */
  readonly onError?: (error: AgentError) => void;
  /**
   * False if answers are large: HAProxy then sends one message at a time on a connection, and an answer may have 8,000
   * bytes of variables instead of 790.
   */
  readonly pipelining?: boolean;
}

/**
 * An agent for HAProxy's `filter spoe`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type Agent, createAgent } from 'haverdict-spop';
 *
 * const agent: Agent = createAgent({ 'check-request': ({ set }) => set('action', 'allow') });
 * await agent.listen({ port: 0 });
 * assert.match(agent.addresses[0] ?? '', /^tcp:\/\/127\.0\.0\.1:\d+$/);
 * await agent.close({ limitMs: 1000 });
 * ```
 */
export class Agent {
  readonly #handler: { -readonly [Key in keyof CurrentHandler]: CurrentHandler[Key] };
  readonly #clock: Clock;
  readonly #events: ListenerEvents;
  readonly #limiter: ConnectionLimiter;
  readonly #stderr: StderrReport;
  readonly #listeners: Listener[] = [];
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(functions: AgentFunctions, options: AgentOptions, clock: Clock) {
    checkFunctions(functions);
    checkAgentOptions(options);
    const { deadlineMs = DEFAULT_DEADLINE_MS, fallback = () => {}, onError, pipelining = true } = options;
    const stderr = new StderrReport(clock);
    const report = onError === undefined ? (error: AgentError) => stderr.write(error) : told(onError, stderr);
    const current = new AgentHandler(functions, deadlineMs, { fallback, report }, clock);
    this.#handler = { current, isPipelined: pipelining, deadlineMs };
    this.#clock = clock;
    this.#events = eventsOf(report);
    this.#limiter = new ConnectionLimiter(clock, (exceeded) => report(evicted(exceeded)));
    this.#stderr = stderr;
  }

  /** The addresses at which it listens, as `tcp://127.0.0.1:9000` or `unix:/run/agent.sock`: none once it closes. */
  get addresses(): readonly string[] {
    return this.#closed === undefined ? this.#listeners.map(({ address }) => address) : [];
  }

  /** Listens; resolves to this agent, and rejects with an error that says where it cannot listen and why. */
  async listen(where: ListenOptions): Promise<this> {
    const address = toAddress('listen', where);
    if (this.#closed !== undefined) throw closed();
    const listener = new Listener(address, this.#handler, this.#clock, this.#events, this.#limiter);
    await listener.open();
    if (this.#closed !== undefined) {
      listener.destroy();
      throw closed();
    }
    this.#listeners.push(listener);
    return this;
  }

  /**
   * Stops listening, answers what HAProxy has asked and still asks, and tells it to go elsewhere. What is not closed within
   * `limitMs` milliseconds, 5000 if that is absent, is closed at once.
   */
  async close(options: { readonly limitMs?: number } = {}): Promise<void> {
    checkOptions('close', options, ['limitMs']);
    const { limitMs = CLOSE_LIMIT_MS } = options;
    checkWhole('close: limitMs', limitMs, 0, MAX_TIMER_MS);
    this.#closed ??= this.#close(limitMs);
    await this.#closed;
  }

  async #close(limitMs: number): Promise<void> {
    this.#handler.failsChecks = true;
    const cancel = this.#clock.after(limitMs, () => {
      for (const listener of this.#listeners) listener.destroy();
    });
    await Promise.all(this.#listeners.map((listener) => listener.drain()));
    cancel();
    this.#stderr.close();
  }
}

/**
 * Makes an agent that answers each message with its function. Whatever functions and peers do, it goes on; what it
 * cannot keep from ending the process is an error in code that no function waits for.
 *
 * @example
 * ```ts
 * import { createAgent } from 'haverdict-spop';
 *
 * const agent = await createAgent({
 *   'check-request': async ({ args, set }) => {
 *     set('action', args.path === '/internal' ? 'deny' : 'allow');
 *   },
 * }).listen({ port: 0 });
 * await agent.close();
 * ```
 */
export function createAgent(functions: AgentFunctions, options: AgentOptions = {}): Agent {
  return new Agent(functions, options, systemClock);
}

const OPTIONS = ['deadlineMs', 'fallback', 'onError', 'pipelining'];

function checkFunctions(functions: AgentFunctions): void {
  checkObject('createAgent: messages', functions, "an object of functions: { 'check-request': ({ args, set }) => … }");
  for (const [name, given] of Object.entries(functions)) {
    checkName('createAgent: the name of a message', name);
    if (typeof given !== 'function' && !(given instanceof DeclaredMessage))
      throw wrong(`createAgent: what answers "${name}"`, given, 'a function, or what message() returns');
  }
}

function checkAgentOptions(options: AgentOptions): void {
  checkOptions('createAgent', options, OPTIONS);
  const { deadlineMs, fallback, onError, pipelining } = options;
  if (deadlineMs !== undefined) checkDeadline('createAgent', deadlineMs);
  if (onError !== undefined && typeof onError !== 'function')
    throw wrong('createAgent: onError', onError, 'a function');
  if (pipelining !== undefined && typeof pipelining !== 'boolean')
    throw wrong('createAgent: pipelining', pipelining, 'true or false');
  if (fallback !== undefined && typeof fallback !== 'function')
    throw wrong('createAgent: fallback', fallback, 'a function');
  if (Object.prototype.toString.call(fallback) === '[object AsyncFunction]')
    throw new TypeError('createAgent: fallback is async: must set before it returns, as the message is answered then');
}

/** Nothing that `onError` does may end the agent. */
function told(onError: (error: AgentError) => unknown, stderr: StderrReport): (error: AgentError) => void {
  return (error) => {
    const failed = (thrown: unknown) =>
      stderr.write(new AgentError(error.code, `onError threw about: ${error.message}`, error.spopMessage, thrown));
    try {
      const result = onError(error);
      if (isThenable(result)) result.then(undefined, failed);
    } catch (thrown) {
      failed(thrown);
    }
  };
}

function closed(): ListenError {
  return new ListenError('ERR_AGENT_CLOSED', 'this agent is closed: make another one');
}

function eventsOf(report: (error: AgentError) => void): ListenerEvents {
  return {
    protocolError: (error: SpopError, peer) =>
      report(new AgentError('protocol', `connection${from(peer)} closed: ${error.message}`, undefined, error)),
    disconnectReceived: (status, message, peer) =>
      report(
        new AgentError(
          'disconnected',
          `HAProxy closed a connection${from(peer)}: ${message}, status ${status}${adviceFor(status)}`,
        ),
      ),
    answered() {},
    answeredLate() {},
    healthChecked() {},
    accepted() {},
  };
}

function from(peer: string | undefined): string {
  return peer === undefined ? '' : ` from ${peer}`;
}

function adviceFor(status: number): string {
  return status === SpopStatus.fragmentationUnsupported
    ? '; a message does not fit into a frame: add "no option send-frag-payload" to the spoe-agent section'
    : '';
}

function evicted(exceeded: ExceededLimit): AgentError {
  return new AgentError(
    'evicted',
    exceeded === 'connections'
      ? 'too many connections: closed the one idle longest'
      : 'too many bytes of partial frames and unread answers: closed the connection stuck longest',
  );
}
