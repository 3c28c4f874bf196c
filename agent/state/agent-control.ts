import type { LogLevel } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import type { AgentState } from './state.ts';

/** What one process has in its cache about a subject. */
export interface CachedVerdict {
  readonly pid: number;
  /** Absent where nothing is known of it. */
  readonly cached?: {
    /** What is decided as long as it is fresh; a failure has the reason alone. */
    readonly action?: Action;
    readonly reason?: string;
    readonly list?: string;
    /** The subject of the entry. */
    readonly entry?: string;
    /** Seconds from now; negative once it is past its lifetime. */
    readonly freshForSeconds: number;
    /** Seconds from now for which it may still count when the backend cannot be asked. */
    readonly keptForSeconds: number;
  };
}

/** What can be asked and done while the agent runs; of several workers it concerns all. None rejects. */
export interface AgentControl {
  state(): Promise<AgentState>;
  /** What each process knows of a subject in canonical text. */
  explain(subject: string): Promise<readonly CachedVerdict[]>;
  /** Forgets a subject, or everything; resolves with how many were forgotten. */
  flush(subject?: string): Promise<number>;
  setLogLevel(level: LogLevel): Promise<void>;
  /** Reads the configuration again; resolves with the reason if it cannot be used and the old one stays. */
  reload(): Promise<string | undefined>;
}
