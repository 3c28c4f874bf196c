import { type SpopError, SpopStatus } from '../errors.ts';
import type { CurrentHandler } from '../notify-handler.ts';
import { ConnectionLimiter, type ExceededLimit } from '../server/connection-limiter.ts';
import { type ListenOptions, toAddress } from '../server/listen-options.ts';
import { Listener, type ListenerEvents } from '../server/listener.ts';
import { type Clock, systemClock } from '../transport.ts';
import { AgentError } from './agent-error.ts';
import { AgentHandler } from './agent-handler.ts';
import { DEFAULT_DEADLINE_MS } from './deadlines.ts';
import { DeclaredMessage, type MessageFunction } from './message.ts';
import type { Fallback } from './message-call.ts';
import { StderrReport } from './stderr-report.ts';

const CLOSED = 'this agent is closed: make another one';
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
    const { deadlineMs = DEFAULT_DEADLINE_MS, fallback = () => {}, onError, pipelining = true } = options;
    const stderr = new StderrReport(clock);
    const report = (error: AgentError) => {
      try {
        if (onError === undefined) stderr.write(error);
        else onError(error);
      } catch (thrown) {
        stderr.write(new AgentError(error.code, `onError threw about: ${error.message}`, error.spopMessage, thrown));
      }
    };
    const current = new AgentHandler(checked(functions), checkedDeadline(deadlineMs), { fallback, report }, clock);
    this.#handler = { current, isPipelined: pipelining };
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
    if (this.#closed !== undefined) throw new Error(CLOSED);
    const listener = new Listener(toAddress(where), this.#handler, this.#clock, this.#events, this.#limiter);
    await listener.open();
    if (this.#closed !== undefined) {
      listener.destroy();
      throw new Error(CLOSED);
    }
    this.#listeners.push(listener);
    return this;
  }

  /**
   * Stops listening, answers what HAProxy has asked and still asks, and tells it to go elsewhere. What is not closed within
   * `limitMs` milliseconds, 5000 if that is absent, is closed at once.
   */
  close({ limitMs = CLOSE_LIMIT_MS }: { readonly limitMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(limitMs);
    return this.#closed;
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

/** Programs without types call this, too. */
function checked(functions: AgentFunctions): AgentFunctions {
  if (typeof functions !== 'object' || functions === null)
    throw new TypeError("createAgent needs a function for each message: { 'check-request': ({ args, set }) => … }");
  for (const [name, given] of Object.entries(functions))
    if (typeof given !== 'function' && !(given instanceof DeclaredMessage))
      throw new TypeError(`message "${name}" needs a function, or what message() returns`);
  return functions;
}

/** Node runs longer timers at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function checkedDeadline(deadlineMs: number): number {
  if (deadlineMs > 0 && deadlineMs <= MAX_TIMER_MS) return deadlineMs;
  throw new TypeError(`deadlineMs is ${deadlineMs}: must be more than 0 milliseconds and at most ${MAX_TIMER_MS}`);
}

function eventsOf(report: (error: AgentError) => void): ListenerEvents {
  return {
    protocolError: (error: SpopError) =>
      report(new AgentError('protocol', `connection closed: ${error.message}`, undefined, error)),
    disconnectReceived: (status, message) =>
      report(
        new AgentError('disconnected', `HAProxy closed a connection: ${message}, status ${status}${adviceFor(status)}`),
      ),
    answered() {},
    answeredLate() {},
    healthChecked() {},
    accepted() {},
  };
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
