import { LAST_SECOND } from '../../blocklist/entry.ts';

/** The attributes that are seconds since 1970 in the table, as DynamoDB deletes by them. */
const SECONDS: ReadonlySet<string> = new Set(['expiresAt', 'until']);

/** The value with every time as ISO 8601 in UTC: what commands print has one form of time. */
export function withIsoTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withIsoTimes);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [
    name,
    SECONDS.has(name) ? isoOf(one) : withIsoTimes(one),
  ]);
  return Object.fromEntries(entries);
}

/** Anything but seconds of a year that can be written stays: it was typed into the table by hand. */
function isoOf(value: unknown): unknown {
  const isSeconds = typeof value === 'number' && value >= 0 && value <= LAST_SECOND;
  return isSeconds ? new Date(value * 1000).toISOString().replace('.000Z', 'Z') : value;
}
