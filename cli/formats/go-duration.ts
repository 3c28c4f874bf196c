const MS = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|[smhd])/gy;
/** What a date can be; later ones are a slip. */
const MAX_MS = 100 * 365 * MS.d;

/** Reads `3h59m12.5s` as Go writes it, with the `d` that cscli takes too, as milliseconds; undefined if it is none. */
export function parseGoDuration(text: string): number | undefined {
  const body = text.replace(/^[+-]/, '');
  let ms = 0;
  let end = 0;
  for (const [part, count, unit] of body.matchAll(PART)) {
    ms += Number(count) * MS[unit as keyof typeof MS]; // the pattern lets no other unit through
    end += part.length;
  }
  if (body === '' || end !== body.length || ms > MAX_MS) return undefined;
  return text.startsWith('-') ? -ms : ms;
}
