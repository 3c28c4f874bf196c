import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { writeWhole } from '../output/write-whole.ts';

/** The metrics of a list for node_exporter's textfile collector, as in docs/reference/metrics.md. */
export const LIST_METRICS = [
  {
    name: 'haverdict_list_synced_timestamp_seconds',
    help: 'When a sync last found or made the list equal to its source.',
  },
  { name: 'haverdict_list_entries', help: 'Entries that the list had then.' },
] as const;

/** The textfile collector reads no other files. */
const SUFFIX = '.prom';

/** The value of `--metrics-file`. */
export function readMetricsFile(text: string): string {
  if (text.endsWith(SUFFIX)) return text;
  throw usageError(`--metrics-file "${text}" must end in ${SUFFIX}: node_exporter reads no other files`);
}

/** Replaces the file as a whole, so that the collector never reads half of it. */
export async function writeMetricsFile(path: string, list: string, entries: number, nowMs: number): Promise<void> {
  try {
    await writeWhole(path, [metricsText(list, entries, nowMs)], 0o644);
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `list ${list} is synced, but --metrics-file ${path} cannot be written: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** List names contain no character that a label would have to escape. */
function metricsText(list: string, entries: number, nowMs: number): string {
  const values = [Math.floor(nowMs / 1000), entries];
  return LIST_METRICS.map(
    ({ name, help }, index) =>
      `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{list="${list}"} ${values[index]}\n`,
  ).join('');
}
