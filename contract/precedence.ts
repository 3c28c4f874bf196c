import { type Action, factsOf } from './actions.ts';

/** More than the bits of any prefix and the characters of any wildcard. */
const MOST_SPECIFIC = 4095;

/**
 * Where an entry stands among all that cover a subject: the one with the least number wins. That is an allow, then the most
 * specific, then that of the first list; what is only logged comes last.
 */
export function standing(action: Action, specificity: number, list: number): number {
  return (factsOf(action).rank << 28) + standingBySpecificity(specificity) + list;
}

/** The part of it that is the same for all entries of a subject; lists are numbered below 65,536. */
export function standingBySpecificity(specificity: number): number {
  return (MOST_SPECIFIC - Math.min(specificity, MOST_SPECIFIC)) << 16;
}
