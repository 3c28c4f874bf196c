import type { Command } from 'commander';
import { printable } from '../../contract/printable.ts';
import { usageError } from '../exit/cli-error.ts';

const OPTION = /^--?[a-z]|^--$/i;

/**
 * Throws where an option would take the next option as its value: commander lets `--reason --dry-run` write an entry with
 * the reason "--dry-run". `--reason=--dry-run` says that it is meant.
 */
export function refuseMissingValues(args: readonly string[], command: Command): void {
  const withValue = new Set(
    [command, ...command.commands]
      .flatMap(({ options }) => options.filter(({ required }) => required))
      .flatMap(({ long, short }) => [long, short]),
  );
  for (let at = 0; at < args.length && args[at] !== '--'; at++) {
    const option = args[at] ?? '';
    if (!withValue.has(option)) continue;
    at++;
    const value = args[at];
    if (value === undefined || !OPTION.test(value)) continue; // commander reports that nothing follows
    const shown = printable(value);
    const meant = option.startsWith('--') ? `; write ${option}=${shown} if that is the value` : '';
    throw usageError(`${option} has no value: ${shown} follows it${meant}`);
  }
}
