import type { Action } from '../../contract/actions.ts';
import type { Source } from '../decision/decision.ts';

/**
 * The types of a module of rules, for `rules: ./rules.mjs`.
 *
 * @module haverdict/rules
 */

/**
 * What HAProxy sent under a name: addresses as text, null where the expression had no value. A whole number is a number
 * where that is exact, otherwise its digits as text.
 */
export type RuleValue = string | number | boolean | null;

/** What the lists say of the subjects of the message, and where that comes from. */
export interface RuleGiven {
  readonly action: Action;
  /** `policy` where it could not be known; `reason` says why then. */
  readonly source: Source;
  readonly reason?: string;
  readonly status?: number;
  readonly list?: string;
  /** The subject of the entry that won, as `ip:203.0.113.0/24`; a cookie or header by its digest. */
  readonly entry?: string;
  readonly vars?: Readonly<Record<string, string>>;
  /** What would be done were this not on trial; the action is `log` then. */
  readonly shadow?: Action;
}

/** One message of HAProxy's. */
export interface RuleRequest {
  readonly message: string;
  /** By name: the subjects, whose names are their kinds, and the `arguments` of the message. */
  readonly arguments: Readonly<Record<string, RuleValue>>;
  readonly decision: RuleGiven;
  /** Is aborted shortly before the answer would be too late: for `fetch` and whatever else takes one. */
  readonly signal: AbortSignal;
}

/** What is decided instead; checked like an entry of a list. */
export interface RuleDecision {
  readonly action: Action;
  /** One line of at most 200 characters. */
  readonly reason?: string;
  /** With `deny`, `tarpit` and `redirect`. */
  readonly status?: number;
  /** As an entry has them: `location`, `backend`, `split`, `path`, `query`, `body`, `req.set.NAME` and so on. */
  readonly vars?: Readonly<Record<string, string>>;
}

type Decided = RuleDecision | undefined;

/** Decides one message; undefined leaves it at what the lists say. */
export type Rule = (request: RuleRequest) => Decided | Promise<Decided>;

/** The default export of a module of rules: a function for each message that it has something to say about. */
export type RulesModule = Readonly<Record<string, Rule>>;
