import { isDeepStrictEqual } from 'node:util';
import { type Action, isConfirmed } from '../../contract/actions.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { plural } from '../output/plural.ts';
import type { Difference } from './difference.ts';

/** The number of entries that a sync would add and remove. */
export interface Totals {
  added: number;
  changed: number;
  removed: number;
}

/** Fewer changes are always allowed, even if they are a large share of a short list. */
const FEW = 10;

/**
 * Throws if a sync would make a list much longer or shorter: usually the feed is truncated or broken. `present` is the
 * current number of entries in the list.
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
 * Collects the subjects that a source would newly allow or route; `typed` is the action of the options. The first run of a
 * source is exempt: the operator has just trusted it.
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
