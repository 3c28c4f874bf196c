/**
 * Why an agent cannot listen: what `listen` rejects with.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { createAgent, ListenError } from 'haverdict-spop';
 *
 * const agent = createAgent({});
 * const error = await agent.listen({ path: '/no-such-folder/agent.sock' }).catch((error: unknown) => error);
 * assert.ok(error instanceof ListenError && error.code === 'ENOENT');
 * await agent.close();
 * ```
 */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** That of the system's error, as `EADDRINUSE` or `EACCES`. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
