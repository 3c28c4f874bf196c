import type { RuleGiven, RuleValue } from './rules.ts';
import type { Sources } from './sources.ts';

/** Milliseconds that are the same in both processes. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** What is to be loaded. */
export interface Start {
  /** The module, as an absolute path. */
  readonly file: string;
  /** What it was when it was loaded first, for a process that takes the place of another. */
  readonly sources?: Sources;
}

/** One call of a function. */
export interface Call {
  readonly id: number;
  readonly message: string;
  readonly arguments: Readonly<Record<string, RuleValue>>;
  readonly decision: RuleGiven;
  /** Until when the answer is of use, by `monotonicMs`. */
  readonly endsAtMs: number;
}

/** What a function returned, with what is known to be too much taken away, and not checked any further. */
export interface Returned {
  readonly action: unknown;
  readonly reason: unknown;
  readonly status: unknown;
  readonly vars: unknown;
}

/** What went wrong, and `file:line:column` where that is known. */
export interface Failure {
  readonly problem: string;
  readonly place?: string;
}

export type Outcome =
  | { readonly type: 'kept' }
  /** It was not called: its time was over before its turn came. */
  | { readonly type: 'skipped' }
  | { readonly type: 'returned'; readonly returned: Returned }
  | ({ readonly type: 'failed' } & Failure);

export type ToRules =
  | ({ readonly type: 'start' } & Start)
  | { readonly type: 'calls'; readonly calls: readonly Call[] }
  | { readonly type: 'ping' };

export type FromRules =
  | { readonly type: 'loaded'; readonly messages: readonly string[]; readonly sources: Sources }
  | ({ readonly type: 'unloadable' } & Failure)
  | { readonly type: 'outcomes'; readonly outcomes: readonly (readonly [id: number, outcome: Outcome])[] }
  | { readonly type: 'pong' }
  /** An error outside of all calls, of which the process dies. */
  | ({ readonly type: 'dying' } & Failure)
  | { readonly type: 'printed'; readonly text: string };
