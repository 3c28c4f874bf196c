import type { Settings } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import type { Source } from '../decision/decision.ts';
import type { DegradationState } from '../decision/degradation-detector.ts';
import type { PROCESS, SECTIONS } from './metric-definitions.ts';
import type { ValuesOf } from './metric-types.ts';

/** Decisions that are alike. */
export interface DecisionCount {
  readonly message: string;
  readonly action: Action;
  readonly source: Source;
  /** Why the policy decided; empty where it did not. */
  readonly reason: string;
  /** Empty where no entry decided; past a number of lists all further ones are `other`. */
  readonly list: string;
  readonly count: number;
}

/** A request that was denied. Under a flood only some a second are here; all are counted. */
export interface RecentDeny {
  readonly atMs: number;
  /** What is in the request's variable `ref`, on its page and in the log; empty where there was no room for it. */
  readonly ref: string;
  readonly message: string;
  /** `deny`, `tarpit` or `drop`. */
  readonly action: Action;
  readonly source: Source;
  readonly reason: string;
  readonly list: string;
  readonly status?: number;
  /** The subject of the entry that matched, or the address that was asked; empty where neither is known. */
  readonly subject: string;
  /** The address that was asked, as `ip:…`; absent where the message has none. */
  readonly client?: string;
}

/** How often a listed subject was denied, of those that are recorded: an estimate, never too low by more than the least. */
export interface TopSubject {
  readonly subject: string;
  readonly list: string;
  readonly count: number;
  /** Who was denied last for it, where that is known. */
  readonly client?: string;
}

export type CacheState = ValuesOf<typeof SECTIONS.cache>;
export type SpopState = ValuesOf<typeof SECTIONS.spop>;

export interface BackendState extends ValuesOf<typeof SECTIONS.backend> {
  readonly urls: readonly string[];
  readonly lastErrorAtMs?: number;
  readonly lastError?: string;
  /** When the AWS credentials expire that calls are signed with; absent where there are none, or they never expire. */
  readonly credentialsExpireAtMs?: number;
}

export interface ReloadState {
  readonly ok: number;
  readonly failed: number;
  readonly lastOkAtMs?: number;
  /** Why the last reload failed; absent once one succeeded. */
  readonly lastError?: string;
}

/** A snapshot of a running agent, as plain JSON. Counters count since the start. */
export interface AgentState extends ValuesOf<typeof PROCESS> {
  readonly version: string;
  /** Of the process that was asked. */
  readonly pid: number;
  readonly workers: number;
  /** Those that ended without being told to. */
  readonly workersReplaced: number;
  readonly startedAtMs: number;
  readonly takenAtMs: number;
  readonly decisions: readonly DecisionCount[];
  /** The newest first. */
  readonly recent: readonly RecentDeny[];
  /** The most first. */
  readonly top: readonly TopSubject[];
  readonly cache: CacheState;
  readonly backend: BackendState;
  /** How the lookups of the last ten seconds were decided; of several workers, degraded if one is. */
  readonly degradation: DegradationState;
  readonly spop: SpopState;
  readonly reloads: ReloadState;
  readonly listening: readonly string[];
  /** The settings in force. There is no secret in them. */
  readonly config: Settings;
}

/** The part of it that each process has; the first process adds the rest. */
export type ProcessState = Omit<AgentState, 'version' | 'workers' | 'workersReplaced' | 'reloads'>;
