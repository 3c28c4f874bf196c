import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Blocklist, Key } from '../../blocklist/store.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { parseDuration } from '../options/duration.ts';
import { openLog, type TableOptions } from '../options/table-options.ts';
import { printLine } from '../output/output.ts';

export interface WaitOptions extends TableOptions {
  readonly wait?: true;
  /** Seconds. */
  readonly waitLimit: number;
  readonly quiet?: true;
  readonly json?: true;
}

/** The default of `--wait-limit` for commands that write many entries: the writer reads them at a pace. */
export const BULK_LIMIT = '30m';

/** The options of every command that can wait for what it changed. */
export function addWaitOptions(command: Command, limit = '1m'): Command {
  return command
    .option('--wait', 'return when the log of changes, which agents follow, has the change')
    .addOption(
      new Option('--wait-limit <duration>', 'the same, and give up after this')
        .argParser(parseDuration)
        .default(parseDuration(limit), limit)
        .implies({ wait: true }),
    );
}

/** Returns when the log has the changes of these keys. */
export type WaitFor = (keys: readonly Key[]) => Promise<void>;

/** Looks where the log of changes ends, before anything is written: what it returns waits for changes from now on. */
export async function startWaiting(options: WaitOptions, blocklist: Pick<Blocklist, 'bulk'>): Promise<WaitFor> {
  if (!options.wait) return async () => {};
  const log = await openLog(options);
  if (log === undefined)
    throw usageError(`nobody writes the changes of table ${options.table} to a log (setting updates): omit --wait`);
  const { number = 0 } = (await log.tail()) ?? {};
  const [{ untilLogged }, { readsOf }] = await Promise.all([
    import('../../updates/logged.ts'),
    import('../../updates/change.ts'),
  ]);
  const print = (line: string) => (options.quiet || options.json ? undefined : printLine(line));
  return async (keys) => {
    if (keys.length === 0) return print('nothing was changed, so there is nothing to wait for');
    const startedMs = Date.now();
    const untilMs = startedMs + options.waitLimit * 1000;
    const read = readsOf(blocklist.bulk, () => {});
    if (!(await untilLogged(keys, number, untilMs, { log, read, clock: Date.now, wait: delay })))
      throw new CliError(
        EXIT.late,
        `written, but not in the log of changes after ${options.waitLimit} s: agents learn of it when the writer goes on, or as their cached verdicts expire`,
      );
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(2);
    await print(`in the log of changes after ${seconds} s: agents that follow it have it with their next poll`);
  };
}
