const MS = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|[smhd])/gy;
/** Longer ones are mistakes, and later dates overflow. */
const MAX_MS = 100 * 365 * MS.d;

/** Parses a Go duration such as `3h59m12.5s`, plus cscli's unit `d`, to milliseconds; undefined if invalid. */
export function parseGoDuration(text: string): number | undefined {
  const body = text.replace(/^[+-]/, '');
  let ms = 0;
  let end = 0;
  for (const [part, count, unit] of body.matchAll(PART)) {
    ms += Number(count) * MS[unit as keyof typeof MS]; // the pattern allows no other unit
    end += part.length;
  }
  if (body === '' || end !== body.length || ms > MAX_MS) return undefined;
  return text.startsWith('-') ? -ms : ms;
}
