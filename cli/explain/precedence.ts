import type { Action } from '../../contract/actions.ts';
import { specificity } from '../../contract/subject.ts';

/** An entry that applies, with what its precedence depends on. */
export interface Contender {
  /** The subject that was looked up, and its position in the request. */
  readonly asked: string;
  readonly place: number;
  readonly subject: string;
  readonly list: string;
  /** The action in effect: `log` where its list is in shadow mode. */
  readonly action: Action;
  readonly inShadow: boolean;
}

/** Describes why one entry wins over another. This only explains: `check` and `combine` decide. */
export function whyItWins(winner: Contender, loser: Contender): string {
  if (winner.action === 'allow' && loser.action !== 'allow') return 'an allow overrides every other entry';
  if (winner.action !== 'log' && loser.action === 'log') return `${logged(loser)}: log entries lose to all others`;
  if (winner.place !== loser.place) return `${winner.asked} takes precedence over ${loser.asked}`;
  if (specificity(winner.subject) !== specificity(loser.subject)) return nearer(winner);
  if (winner.list === loser.list) return 'of two names of one length the first in the alphabet wins';
  return `list ${winner.list} comes before ${loser.list}`;
}

function logged({ inShadow, list }: Contender): string {
  return inShadow ? `list ${list} is in shadow mode` : 'it only logs';
}

function nearer({ subject }: Contender): string {
  return subject.startsWith('ip:') ? 'the longest prefix wins' : 'the most specific subject wins';
}
