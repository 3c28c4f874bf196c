// What the agent and its script process send each other.

import type { ModuleSources } from './child/module-sources.ts';
import type { ArgumentValue, ListedDecision } from './script-types.ts';

/** The memory limit of a whole script process: heap, buffers and Node itself, which takes about 60 MB. */
export const MAX_MEMORY_MB = 256;

/** Milliseconds on a clock that both processes share. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export interface LoadRequest {
  /** The script, as an absolute path. */
  readonly file: string;
  /** Sources from an earlier load: a restarted process runs these instead of reading the files again. */
  readonly sources?: ModuleSources;
}

/** One call of a function. */
export interface Call {
  readonly id: number;
  readonly message: string;
  readonly arguments: Readonly<Record<string, ArgumentValue>>;
  readonly decision: ListedDecision;
  /** The deadline, by `monotonicMs`. */
  readonly deadlineAtMs: number;
}

/** What a function returned: bounded in size, but not validated. */
export interface ReturnedValue {
  readonly action: unknown;
  readonly reason: unknown;
  readonly status: unknown;
  readonly vars: unknown;
}

/** What went wrong, and `file:line:column` if that is known. */
export interface Failure {
  readonly problem: string;
  readonly place?: string;
}

export type Outcome =
  /** The decision of the lists stands. */
  | { readonly type: 'kept' }
  /** The function was not called: the deadline passed before its turn. */
  | { readonly type: 'skipped' }
  | { readonly type: 'returned'; readonly returned: ReturnedValue }
  | ({ readonly type: 'failed' } & Failure);

export type ToChild =
  | ({ readonly type: 'load' } & LoadRequest)
  | { readonly type: 'calls'; readonly calls: readonly Call[] }
  | { readonly type: 'ping' };

export type FromChild =
  | { readonly type: 'loaded'; readonly messages: readonly string[]; readonly sources: ModuleSources }
  | ({ readonly type: 'load-failed' } & Failure)
  | { readonly type: 'outcomes'; readonly outcomes: readonly (readonly [id: number, outcome: Outcome])[] }
  | { readonly type: 'pong' }
  /** An uncaught error; the process exits after sending this. */
  | ({ readonly type: 'crashed' } & Failure)
  | { readonly type: 'output'; readonly text: string };
