import { DEFAULT_EVENT, type Event } from './events.ts';

/** The parts of a message that tell whether `recentSeconds` applies to it. */
interface MessageShape {
  readonly event?: Event | undefined;
  readonly group?: string | undefined;
  readonly kinds: readonly string[];
  readonly argumentCount: number;
}

/** Set by a rule: the second at which the address was last allowed; 0 if it is not in the stick table. */
export const ALLOWED_AT_VARIABLE = 'allowed_at';

/** The source of a decision that HAProxy took from its stick table, without asking the agent. */
export const RECENT_SOURCE = 'recent';

/** Sends a message that otherwise has the default event, since an event cannot depend on the stick table. */
export const RECENT_GROUP = 'haverdict-recent';

/** A message about nothing but the client's address, which is sent by the rules of a frontend: the next answer is the same. */
export function isAboutAddressAlone({ event, group, kinds, argumentCount }: MessageShape): boolean {
  const isOfRequest = group !== undefined || event === undefined || event === DEFAULT_EVENT;
  return isOfRequest && kinds.length === 1 && kinds[0] === 'ip' && argumentCount === 0;
}
