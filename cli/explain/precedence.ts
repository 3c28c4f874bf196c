import type { Action } from '../../contract/actions.ts';
import { specificity } from '../../contract/subject.ts';

/** An entry that counts, with what decides between it and others. */
export interface Contender {
  /** The subject that was asked, and its place among those that were. */
  readonly asked: string;
  readonly place: number;
  readonly subject: string;
  readonly list: string;
  /** As it counts: `log` where its list is on trial. */
  readonly action: Action;
  readonly onTrial: boolean;
}

/** Why this one wins over that one, in words. It tells the rules and does not apply them: `check` and `combine` do. */
export function whyItWins(winner: Contender, loser: Contender): string {
  if (winner.action === 'allow' && loser.action !== 'allow') return 'an allow wins over everything';
  if (winner.action !== 'log' && loser.action === 'log') return `${logged(loser)} loses to every other entry`;
  if (winner.place !== loser.place) return `${winner.asked} is asked before ${loser.asked}`;
  if (specificity(winner.subject) !== specificity(loser.subject)) return nearer(winner);
  return `list ${winner.list} comes before ${loser.list}`;
}

function logged({ onTrial, list }: Contender): string {
  return onTrial ? `list ${list} is on trial, and what is only logged` : 'what is only logged';
}

function nearer({ subject }: Contender): string {
  return subject.startsWith('ip:') ? 'the longest prefix wins' : 'the most specific subject wins';
}
