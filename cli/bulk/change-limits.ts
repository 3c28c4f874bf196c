import { isDeepStrictEqual } from 'node:util';
import { type Action, isConfirmed } from '../../contract/actions.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { plural } from '../output/plural.ts';
import type { Difference } from './difference.ts';

/** What a sync would do to a list, in entries. */
export interface Totals {
  added: number;
  changed: number;
  removed: number;
}

/** Fewer are nothing to ask about, whatever share of a short list they are. */
const FEW = 10;

/**
 * Stops what would make a list much longer or shorter than it is: mostly that is a feed which was cut off, or one that
 * has gone wrong. `present` is how many entries the list has.
 */
export function assertMaxChange(list: string, { added, removed }: Totals, present: number, maxChange: number): void {
  const emptied = present > 0 && removed === present && added === 0;
  for (const [does, count] of [
    ['add', added],
    ['remove', removed],
  ] as const) {
    const share = count / present;
    if (present === 0 || (count < FEW && !emptied) || share <= maxChange) continue;
    throw new CliError(
      EXIT.failed,
      `nothing was changed: this would ${does} ${plural(count, 'entry')} where list ${list} has ${present}, more than the ${percent(maxChange)} of blocklist.maxChange; check it with --dry-run, then run it with --yes`,
    );
  }
}

/**
 * Whom a source would let pass, or lead elsewhere, who was not before; `typed` is the action of the options. The first run
 * of a source has no surprises, it was just trusted.
 */
export class RiskyChanges {
  readonly #typed: Action;
  #count = 0;
  #example: string | undefined;

  constructor(typed: Action) {
    this.#typed = typed;
  }

  see(one: Difference): void {
    if (one.kind === 'remove') return;
    const { action, subject, vars } = one.entry;
    if (action === this.#typed || !isConfirmed(action)) return;
    if (one.kind !== 'add' && one.was.action === action && isDeepStrictEqual(one.was.vars, vars)) return;
    this.#count++;
    this.#example ??= `${action} ${subject}`;
  }

  refuse(list: string): void {
    if (this.#example === undefined) return;
    throw new CliError(
      EXIT.failed,
      `nothing was changed: the source would allow or redirect ${plural(this.#count, 'more subject')} in list ${list}, such as ${this.#example}; check it with --dry-run, then run it with --yes`,
    );
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
