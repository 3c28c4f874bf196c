/** A rule that calls functions at a fixed rate. */
export interface Schedule {
  /** Calls them now, instead of the first time; rejects if one fails or must not be called. */
  fire(): Promise<void>;
  close(): void;
}

const FIRST_MS = 5000;
const UNITS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** Starts a rule: the first call is after five seconds. */
export function startSchedule(expression: string, call: () => Promise<void>): Schedule {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined || unit === undefined) throw new Error(`schedule ${expression} is not imitated`);
  const everyMs = Number(count) * UNITS[unit as keyof typeof UNITS]; // the pattern has no other
  const quietly = () => void call().catch(() => {}); // the log of the function says why
  const first = setTimeout(quietly, FIRST_MS);
  const next = setInterval(quietly, everyMs);
  return {
    fire() {
      clearTimeout(first);
      return call();
    },
    close() {
      clearTimeout(first);
      clearInterval(next);
    },
  };
}
