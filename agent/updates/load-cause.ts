/** Why a mirror is loaded: there is none, its place is not in the log any more, it lags, it has a fault, its file is old, or it was too large. */
export const LOAD_CAUSES = ['start', 'gone', 'backlog', 'mismatch', 'worker', 'file', 'over'] as const;
export type LoadCause = (typeof LOAD_CAUSES)[number];
