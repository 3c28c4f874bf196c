import { CliError, EXIT } from '../cli-error.ts';

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
export function refuseSurprise(list: string, { added, removed }: Totals, present: number, maxChange: number): void {
  const emptied = present > 0 && removed === present && added === 0;
  for (const [does, count] of [
    ['add', added],
    ['remove', removed],
  ] as const) {
    const share = count / present;
    if (present === 0 || (count < FEW && !emptied) || share <= maxChange) continue;
    throw new CliError(
      EXIT.failed,
      `nothing was changed: this would ${does} ${count} entries where list ${list} has ${present}, more than the ${percent(maxChange)} of blocklist.maxChange; look at it with --dry-run, then do it with --yes`,
    );
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
