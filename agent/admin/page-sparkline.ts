import { KEPT_SECONDS, type Second } from '../state/last-minute.ts';
import { type Html, html } from './html.ts';

const HEIGHT = 20;
/** A line of fewer seconds says nothing. */
const FEWEST_SECONDS = 5;

/** A value of a second; null where there is none. */
export type Pick = (second: Second) => number | null;

/** The greatest value of the last minute, which is the scale of its line; undefined if there is no line. */
export function scaleOf(seconds: readonly Second[], pick: Pick): number | undefined {
  const values = seconds.map(pick).filter((value) => value !== null);
  return values.length < FEWEST_SECONDS ? undefined : Math.max(...values);
}

/** A value in each of the last 60 seconds, from 0 to its greatest, with gaps where there is none. */
export function sparkline(seconds: readonly Second[], pick: Pick, tell: (value: number) => string): Html {
  const greatest = scaleOf(seconds, pick);
  if (greatest === undefined) return html``;
  const newestMs = seconds.at(-1)?.atMs ?? 0;
  const runs: string[][] = [];
  let lastX = Number.NaN;
  for (const second of seconds) {
    const value = pick(second);
    if (value === null) continue;
    const x = KEPT_SECONDS - 1 - (newestMs - second.atMs) / 1000;
    const y = greatest === 0 ? HEIGHT - 1 : HEIGHT - 1 - ((HEIGHT - 2) * value) / greatest;
    if (x !== lastX + 1) runs.push([]);
    lastX = x;
    runs.at(-1)?.push(`${x},${Number(y.toFixed(1))}`);
  }
  // a line of one point is drawn as a dot
  const lines = runs.map((points) => html`<polyline points="${[...points, points.at(-1) ?? ''].join(' ')}"/>`);
  const label = `last 60 s: from 0 to ${tell(greatest)}`;
  return html`<dd class="spark"><svg viewBox="0 0 ${KEPT_SECONDS - 1} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}"><title>${label}</title><path d="M0 ${HEIGHT - 1}H${KEPT_SECONDS - 1}"/>${lines}</svg></dd>`;
}
