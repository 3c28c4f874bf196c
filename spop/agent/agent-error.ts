/**
 * What can go wrong in an agent without ending it, by its code.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { AGENT_ERRORS } from 'haverdict-spop';
 *
 * assert.equal(AGENT_ERRORS.late, 'a function did not answer within `deadlineMs`');
 * ```
 */
export const AGENT_ERRORS = {
  failed: 'a function threw, or rejected, or set a variable that HAProxy would drop',
  late: 'a function did not answer within `deadlineMs`',
  overload: 'too many messages wait for their functions',
  arguments: 'the arguments of a message are not as declared',
  too_large: 'the variables do not fit into the answer',
  fallback: '`fallback` threw or set too much: the answer is empty; or it returned a promise, which nothing awaits',
  lost: 'a variable was set when the message had been answered: await what sets it, or return its promise',
  unknown_message: 'HAProxy sent a message that has no function: the answer is empty',
  protocol: 'a peer broke the protocol: its connection is closed',
  disconnected: 'HAProxy closed a connection and gave a reason',
  evicted: 'there were too many connections, or too many bytes waited: the connection idle or stuck longest is closed',
} as const;

/**
 * What an `AgentError` is about, for programs.
 *
 * @example
 * ```ts
 * import { type AgentErrorCode, createAgent } from 'haverdict-spop';
 *
 * const counts = new Map<AgentErrorCode, number>();
 * createAgent({}, { onError: ({ code }) => counts.set(code, (counts.get(code) ?? 0) + 1) });
 * ```
 */
export type AgentErrorCode = keyof typeof AGENT_ERRORS;

/**
 * Something went wrong, and the agent goes on: what `onError` gets.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { AgentError, createAgent } from 'haverdict-spop';
 *
 * const errors: AgentError[] = [];
 * const agent = createAgent({}, { onError: (error) => errors.push(error) });
 * await agent.close();
 * assert.deepEqual(errors.map(({ code, spopMessage }) => [code, spopMessage]), []);
 * assert.equal(new AgentError('late', 'message "ask": not answered within 500 ms', 'ask').code, 'late');
 * ```
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;
  /** The name of the message that it is about, if any. */
  readonly spopMessage: string | undefined;

  constructor(code: AgentErrorCode, text: string, spopMessage?: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.code = code;
    this.spopMessage = spopMessage;
  }
}
