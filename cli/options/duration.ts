import { usageError } from '../exit/cli-error.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
/** Longer ones are mistakes, and later dates overflow. */
const MAX_SECONDS = 100 * 365 * SECONDS.d;

/** Reads `90s`, `30m`, `24h`, `7d` or `2w` as seconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,9})([smhdw])$/.exec(text) ?? [];
  if (count === undefined)
    throw usageError(`"${text}" is not a valid duration: use a number and s, m, h, d or w, like 24h`);
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS]; // the pattern allows no other unit
  if (seconds > MAX_SECONDS) throw usageError(`"${text}" is longer than 100 years: omit it for no expiry`);
  return seconds;
}
