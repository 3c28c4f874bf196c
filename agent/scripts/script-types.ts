import type { Action } from '../../contract/actions.ts';
import type { Source } from '../decision/decision.ts';

/**
 * The types of a script, for `script: ./script.mjs`.
 *
 * @module haverdict/script
 */

/**
 * What HAProxy sent under a name: addresses as text, null where the expression had no value. An integer is a number
 * where that is exact, otherwise its digits as text.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ArgumentValue } from 'haverdict/script';
 *
 * const isMissing = (value: ArgumentValue | undefined) => value === null || value === undefined;
 * assert.ok(isMissing(null));
 * ```
 */
export type ArgumentValue = string | number | boolean | null;

/**
 * What the lists say about the subjects of the message, and where that comes from.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ListedDecision } from 'haverdict/script';
 *
 * const listed: ListedDecision = { action: 'deny', source: 'cache', list: 'bots', entry: 'ip:203.0.113.0/24' };
 * assert.equal(listed.list, 'bots');
 * ```
 */
export interface ListedDecision {
  readonly action: Action;
  /** `policy` if the lists could not be consulted; `reason` then says why. */
  readonly source: Source;
  readonly reason?: string;
  readonly status?: number;
  readonly list?: string;
  /** The subject of the entry that won, as `ip:203.0.113.0/24`; a cookie or header by its digest. */
  readonly entry?: string;
  readonly vars?: Readonly<Record<string, string>>;
  /** The action that would be taken outside of shadow mode; `action` is `log` then. */
  readonly shadow?: Action;
}

/**
 * One message from HAProxy.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ScriptRequest } from 'haverdict/script';
 *
 * const isUpload = ({ arguments: { method } }: ScriptRequest) => method === 'PUT' || method === 'POST';
 * const request = { message: 'check-request', arguments: { method: 'PUT' }, signal: AbortSignal.timeout(40) };
 * assert.ok(isUpload({ ...request, decision: { action: 'allow', source: 'cache' } }));
 * ```
 */
export interface ScriptRequest {
  readonly message: string;
  /** By name: the subjects, whose names are their kinds, and the `arguments` of the message. */
  readonly arguments: Readonly<Record<string, ArgumentValue>>;
  readonly decision: ListedDecision;
  /** Aborted shortly before the deadline: pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
}

/**
 * What is decided instead; validated like an entry of a list.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ScriptDecision } from 'haverdict/script';
 *
 * const slow: ScriptDecision = { action: 'redirect', status: 302, vars: { location: '/busy' }, reason: 'too many uploads' };
 * assert.equal(slow.action, 'redirect');
 * ```
 */
export interface ScriptDecision {
  readonly action: Action;
  /** One line of at most 200 characters. */
  readonly reason?: string;
  /** With `deny`, `tarpit` and `redirect`. */
  readonly status?: number;
  /** The same as for an entry: `location`, `backend`, `split`, `path`, `query`, `body`, `req.set.NAME` and so on. */
  readonly vars?: Readonly<Record<string, string>>;
}

type Result = ScriptDecision | undefined;

/**
 * Decides one message; undefined keeps the decision of the lists.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ScriptFunction } from 'haverdict/script';
 *
 * const denyUploads: ScriptFunction = ({ arguments: { method }, decision }) =>
 *   decision.action === 'allow' && method === 'PUT' ? { action: 'deny', status: 403 } : undefined;
 * const request = { message: 'check-request', arguments: { method: 'PUT' }, signal: AbortSignal.timeout(40) };
 * assert.deepEqual(denyUploads({ ...request, decision: { action: 'allow', source: 'cache' } }), { action: 'deny', status: 403 });
 * ```
 */
export type ScriptFunction = (request: ScriptRequest) => Result | Promise<Result>;

/**
 * The default export of a script: one function for each message that it decides.
 *
 * @example
 * ```ts
 * import type { ScriptModule } from 'haverdict/script';
 *
 * const script: ScriptModule = {
 *   'check-request': ({ arguments: { path } }) => (path === '/internal' ? { action: 'deny' } : undefined),
 * };
 * export default script;
 * ```
 */
export type ScriptModule = Readonly<Record<string, ScriptFunction>>;
