import type { LogLevel } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import type { AgentState, Hits } from './state.ts';

/** What one process knows about a subject. */
export interface CachedVerdict {
  readonly pid: number;
  /** What the mirror says; absent without one, or if it cannot say. */
  readonly mirror?: {
    /** It decides at once; else only where the backend does not answer. */
    readonly isLive: boolean;
    readonly action: Action;
    readonly reason?: string;
    /** The list and the subject of the entry; absent if nothing is listed. */
    readonly list?: string;
    readonly entry?: string;
  };
  /** Absent if the subject is not cached. */
  readonly cached?: {
    /** The action as long as the verdict is fresh; absent for a failed lookup, which has only a reason. */
    readonly action?: Action;
    readonly reason?: string;
    readonly list?: string;
    /** The subject of the entry. */
    readonly entry?: string;
    /** Seconds from now; negative if the verdict is stale. */
    readonly freshForSeconds: number;
    /** Seconds from now for which a stale verdict is used if the backend cannot be asked. */
    readonly keptForSeconds: number;
  };
}

/** Of a reload: why the old configuration stays, or the changed settings that are not applied before a restart. */
export type ReloadOutcome = { readonly problem: string } | { readonly needsRestart: readonly string[] };

/** Queries and commands for the running agent; with several workers they apply to all. No method rejects. */
export interface AgentControl {
  state(): Promise<AgentState>;
  hits(): Promise<Hits>;
  /** The cached verdicts of all processes about a subject in canonical text. */
  explain(subject: string): Promise<readonly CachedVerdict[]>;
  /** Removes a subject, or all, from the caches; resolves with the number of removed verdicts. */
  flush(subject?: string): Promise<number>;
  setLogLevel(level: LogLevel): Promise<void>;
  reload(): Promise<ReloadOutcome>;
}
