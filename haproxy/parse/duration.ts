const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time of HAProxy's in milliseconds (configuration.txt 2.5); undefined if it is invalid or from the environment. */
export function durationMs(text: string | undefined): number | undefined {
  const [, number, unit = 'ms'] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text ?? '') ?? [];
  const factor = UNIT_MS[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}
