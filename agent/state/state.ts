import type { Settings } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import type { Source } from '../decision/decision.ts';
import type { DegradationState } from '../decision/degradation-detector.ts';
import type { Second } from './last-minute.ts';
import type { PROCESS, SECTIONS } from './metric-definitions.ts';
import type { ValuesOf } from './metric-types.ts';

/** The number of equal decisions. */
export interface DecisionCount {
  readonly message: string;
  readonly action: Action;
  readonly source: Source;
  /** Why the policy decided; empty if it did not. */
  readonly reason: string;
  /** The list of the entry that decided, `other` beyond a number of lists, empty if none decided. */
  readonly list: string;
  readonly count: number;
}

/** A denied request. Only some per second are recorded, but all are counted. */
export interface RecentDeny {
  readonly atMs: number;
  /** The reference id, as in the variable `ref`, on the block page and in the log; empty if it did not fit into the ACK. */
  readonly ref: string;
  readonly message: string;
  /** `deny`, `tarpit` or `drop`. */
  readonly action: Action;
  readonly source: Source;
  readonly reason: string;
  readonly list: string;
  readonly status?: number;
  /** The subject of the entry that matched, otherwise the address of the request; empty if there is neither. */
  readonly subject: string;
  /** The address of the request, as `ip:…`; absent if the message has none. */
  readonly client?: string;
}

/** How often a listed subject was denied, of the recorded denies: an estimate, off by at most the smallest count. */
export interface TopSubject {
  readonly subject: string;
  readonly list: string;
  readonly count: number;
  /** The client that was denied last for it, if known. */
  readonly client?: string;
}

/** How many requests an entry denied. */
export type EntryHits = Omit<TopSubject, 'client'>;

/** How often entries denied a request since the agent started. */
export interface Hits {
  readonly sinceMs: number;
  /** Whether every deny is counted with its entry. Otherwise each count, also 0 of an entry that is not named, is a lower bound. */
  readonly isComplete: boolean;
  /** Most frequent first. */
  readonly entries: readonly EntryHits[];
}

export type CacheState = ValuesOf<typeof SECTIONS.cache>;
/** What failed last, and when. */
export interface LastError {
  readonly lastErrorAtMs?: number;
  readonly lastError?: string;
}

/** The error is that of a poll; absent once one succeeded. */
export interface UpdatesState extends ValuesOf<typeof SECTIONS.updates>, LastError {}
/** The error is that of a load; absent once one succeeded. */
export interface MirrorState extends ValuesOf<typeof SECTIONS.mirror>, LastError {}
export type SpopState = ValuesOf<typeof SECTIONS.spop>;

/** The error is that of a call, and stays. */
export interface BackendState extends ValuesOf<typeof SECTIONS.backend>, LastError {
  readonly urls: readonly string[];
  /** The expiry of the AWS credentials; absent without credentials, or if they do not expire. */
  readonly credentialsExpireAtMs?: number;
}

export interface ReloadState {
  readonly ok: number;
  readonly failed: number;
  readonly lastOkAtMs?: number;
  /** Why the last reload failed; absent once one succeeded. */
  readonly lastError?: string;
  readonly lastErrorAtMs?: number;
}

/** A snapshot of a running agent, as plain JSON. Counters count since the start. */
export interface AgentState extends ValuesOf<typeof PROCESS> {
  readonly version: string;
  readonly host: string;
  /** The first process. */
  readonly pid: number;
  readonly workers: number;
  /** Workers that ended unexpectedly. */
  readonly workersReplaced: number;
  readonly startedAtMs: number;
  readonly takenAtMs: number;
  readonly decisions: readonly DecisionCount[];
  /** Newest first. */
  readonly recent: readonly RecentDeny[];
  /** Of the last five minutes, most frequent first. */
  readonly top: readonly TopSubject[];
  /** Oldest first. */
  readonly lastMinute: readonly Second[];
  readonly cache: CacheState;
  readonly backend: BackendState;
  /** How the lookups of the last ten seconds were decided; degraded if any worker is. */
  readonly degradation: DegradationState;
  readonly updates: UpdatesState;
  readonly mirror: MirrorState;
  readonly spop: SpopState;
  readonly reloads: ReloadState;
  readonly listening: readonly string[];
  /** The settings in force, which contain no secrets. */
  readonly config: Settings;
}

/** The state of one process; the first process adds the rest. */
export type ProcessState = Omit<AgentState, 'version' | 'host' | 'workers' | 'workersReplaced' | 'reloads'>;
