import type { Settings } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import type { Source } from '../decision/decision.ts';
import type { DegradationState } from '../decision/degradation.ts';
import type { HistogramState } from './histogram.ts';

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

export interface CacheState {
  readonly entries: number;
  /** Of addresses and the other subjects; an estimate of what the process has set aside for them. */
  readonly bytes: number;
  readonly maxEntries: number;
  /** Decisions made of what was known. */
  readonly hits: number;
  /** Subjects that had to be asked for. */
  readonly misses: number;
  /** Decisions made of what was past its lifetime. */
  readonly stale: number;
  /** Subjects that went before their time to make room. */
  readonly evicted: number;
}

/** What a backend call failed of; the words are those of `BackendError`. */
export const FAULTS = ['unreachable', 'failing', 'refused', 'ours'] as const;
export type FaultName = (typeof FAULTS)[number];

export interface BackendState {
  readonly urls: readonly string[];
  readonly calls: number;
  readonly subjects: number;
  /** Lookups that found an entry which does what its list may not. */
  readonly notCounted: number;
  /** Calls that failed, by what they failed of. */
  readonly failures: Readonly<Record<FaultName, number>>;
  /** Of several workers, the worst: open, then probing, then closed. */
  readonly breaker: 'closed' | 'probing' | 'open';
  /** Subjects that wait for a call now. */
  readonly queued: number;
  /** Calls under way now. */
  readonly inFlight: number;
  /** How often a call had to wait for `maxCallsPerSecond`, or for fewer where the backend throttles. */
  readonly budgetWaits: number;
  /** Calls that the backend refused as too many: no failures. */
  readonly throttled: number;
  /** Calls that may be made a second now. */
  readonly callsPerSecond: number;
  /** Lookups that were not made, by the reason that the policy was asked for instead. */
  readonly refused: Readonly<Record<'timeout' | 'breaker_open' | 'overload', number>>;
  readonly lastErrorAtMs?: number;
  readonly lastError?: string;
  /** When the AWS credentials end that calls are signed with; absent where there are none, or they never end. */
  readonly credentialsExpireAtMs?: number;
}

export interface SpopState {
  /** Open now. */
  readonly connections: number;
  readonly accepted: number;
  /** NOTIFY frames that were answered. */
  readonly frames: number;
  /** Connections that were ended for what HAProxy did or that it ended with a complaint, by SPOP status. */
  readonly errors: Readonly<Record<string, number>>;
  readonly healthChecks: number;
}

export interface ReloadState {
  readonly ok: number;
  readonly failed: number;
  readonly lastOkAtMs?: number;
  /** Why the last reload failed; absent once one succeeded. */
  readonly lastError?: string;
}

/** In seconds, since the last snapshot was taken; of several workers, the slowest. */
export interface EventLoopLag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A snapshot of a running agent, as plain JSON. Every number is since the start unless it says otherwise. */
export interface AgentState {
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
  readonly decisionTime: HistogramState;
  /** Of the answers that had to wait. */
  readonly deadlineMargin: HistogramState;
  readonly backendTime: HistogramState;
  readonly eventLoopLag: EventLoopLag;
  readonly cache: CacheState;
  readonly backend: BackendState;
  /** How the lookups of the last ten seconds were decided; of several workers, degraded if one is. */
  readonly degradation: DegradationState;
  readonly spop: SpopState;
  readonly reloads: ReloadState;
  /** Lines of the log that standard output did not take. */
  readonly logLinesDropped: number;
  readonly listening: readonly string[];
  /** The settings in force. There is no secret in them. */
  readonly config: Settings;
}

/** What one process tells; the first process adds what is about all of them. */
export type ProcessState = Omit<AgentState, 'version' | 'workers' | 'workersReplaced' | 'reloads'>;
