import { DEFAULT_EVENT, type Event } from './events.ts';

/** What of a message decides whether HAProxy may remember who passed. */
interface Asked {
  readonly event?: Event | undefined;
  readonly group?: string | undefined;
  readonly kinds: readonly string[];
  readonly argumentCount: number;
}

/** Set by HAProxy itself: the second in which the visitor passed last, 0 for one that the table does not have. */
export const PASSED_AT_VARIABLE = 'passed_at';

/** The source of a decision that HAProxy remembers; the agent was not asked. */
export const RECENT_SOURCE = 'recent';

/** Who sends a message of the default event while visitors are remembered: a rule, since an event cannot be told who passed. */
export const RECENT_GROUP = 'haverdict-recent';

/**
 * Is the message about the client's address and nothing else, so that whoever passed would pass again? Its rule has to
 * stand in the frontend, where the request is there.
 */
export function isAboutAddressAlone({ event, group, kinds, argumentCount }: Asked): boolean {
  const isOfRequest = group !== undefined || event === undefined || event === DEFAULT_EVENT;
  return isOfRequest && kinds.length === 1 && kinds[0] === 'ip' && argumentCount === 0;
}
