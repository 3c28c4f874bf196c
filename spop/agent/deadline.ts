import { checkWhole } from '../options.ts';

/** How long a function may take if nothing else is said. */
export const DEFAULT_DEADLINE_MS = 500;
/** HAProxy waits on a connection to an agent for three minutes at most: `timeout server` of what `haproxyFiles` writes. */
const MAX_DEADLINE_MS = 60_000;

/** Throws for what cannot be the deadline of an agent. */
export function checkDeadline(where: string, deadlineMs: number): void {
  checkWhole(`${where}: deadlineMs`, deadlineMs, 1, MAX_DEADLINE_MS);
}
