import { usageError } from '../exit/cli-error.ts';
import { parseDuration } from './duration.ts';

export interface ExpiryOptions {
  readonly for?: string;
  readonly until?: string;
}

/** Overrides a default expiry. */
const NEVER = 'never';

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** The expiry of an entry written now, in epoch seconds; undefined means never. */
export function expiryOf(options: ExpiryOptions, nowMs: number): number | undefined {
  if (options.for === NEVER) return undefined;
  if (options.for !== undefined) return Math.floor(nowMs / 1000) + parseDuration(options.for);
  return options.until === undefined ? undefined : parseInstant(options.until, nowMs);
}

/** Formats the expiry of an entry. */
export function expiryText(expiresAt: number | undefined): string {
  return expiresAt === undefined ? 'never' : new Date(expiresAt * 1000).toISOString().replace('.000Z', 'Z');
}

function parseInstant(text: string, nowMs: number): number {
  const day = INSTANT.exec(text)?.[1];
  const time = Date.parse(text);
  if (day === undefined || Number.isNaN(time) || !isDay(day))
    throw usageError(
      `"${text}" is not a valid time: use ISO 8601 with a time zone, like ${new Date(nowMs + 86_400_000).toISOString()}`,
    );
  if (time <= nowMs) throw usageError(`"${text}" is in the past`);
  return Math.floor(time / 1000);
}

/** Whether the date exists: Date.parse turns 30 February into 2 March. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00Z`).toISOString().startsWith(day);
}
