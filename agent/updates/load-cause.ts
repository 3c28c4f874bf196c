/** Why a mirror is loaded: there is none, its place is not in the log any more, it lags, it has a fault, or its file is old. */
export const LOAD_CAUSES = ['start', 'gone', 'backlog', 'mismatch', 'worker', 'file'] as const;
export type LoadCause = (typeof LOAD_CAUSES)[number];
