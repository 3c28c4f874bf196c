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
 */
export type ArgumentValue = string | number | boolean | null;

/** What the lists say about the subjects of the message, and where that comes from. */
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

/** One message from HAProxy. */
export interface ScriptRequest {
  readonly message: string;
  /** By name: the subjects, whose names are their kinds, and the `arguments` of the message. */
  readonly arguments: Readonly<Record<string, ArgumentValue>>;
  readonly decision: ListedDecision;
  /** Aborted shortly before the deadline: pass it to `fetch` and the like. */
  readonly signal: AbortSignal;
}

/** What is decided instead; validated like an entry of a list. */
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

/** Decides one message; undefined keeps the decision of the lists. */
export type ScriptFunction = (request: ScriptRequest) => Result | Promise<Result>;

/** The default export of a script: one function for each message that it decides. */
export type ScriptModule = Readonly<Record<string, ScriptFunction>>;
