import { KEPT_SECONDS, type Second } from '../../agent/state/last-minute.ts';
import { GAP, widthsOf } from '../output/fit.ts';
import { aligned } from '../output/table.ts';

/** From 0 to the greatest of the minute. */
const LEVELS = '▁▂▃▄▅▆▇█';
/** How many characters a curve can have: each is the greatest value of as many seconds. */
const WIDTHS = [60, 30, 20, 15, 12, 10] as const;
const HEADING = '60 s, most';

/** How values of a second are told. */
export interface Tell {
  rate(perSecond: number): string;
  seconds(value: number): string;
}

/** The last minute, as the status page has it: two lines of two curves, each with its greatest value; none without room. */
export function curveLines(seconds: readonly Second[], columns: number, tell: Tell): string[] {
  if (seconds.length === 0) return [];
  const share = ({ byPolicy, decisions }: Second) => (decisions === 0 ? 0 : byPolicy / decisions);
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const curve = (name: string, pick: (second: Second) => number | null, told: (value: number) => string) => {
    const values = inSlots(seconds, pick);
    const greatest = Math.max(0, ...values.filter((value) => value !== null));
    return (width: number) => [name, curveOf(values, greatest, width), told(greatest)];
  };
  const curves = [
    [curve('decisions', (of) => of.decisions, tell.rate), curve('denied', (of) => of.denied, tell.rate)],
    [curve('by policy', share, percent), curve('p99', (of) => of.p99Seconds, tell.seconds)],
  ];
  for (const width of WIDTHS) {
    const rows = curves.map((line, index) => [index === 0 ? HEADING : '', ...line.flatMap((one) => one(width))]);
    const widths = widthsOf(rows);
    const total = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1));
    if (total <= columns) return rows.map((cells) => aligned(cells, widths));
  }
  return [];
}

/** A value for each of the last seconds, the newest last; null where there is none. */
function inSlots(seconds: readonly Second[], pick: (second: Second) => number | null): (number | null)[] {
  const slots: (number | null)[] = Array(KEPT_SECONDS).fill(null);
  const newestMs = seconds.at(-1)?.atMs ?? 0;
  for (const second of seconds) {
    const slot = KEPT_SECONDS - 1 - Math.round((newestMs - second.atMs) / 1000);
    if (slot >= 0) slots[slot] = pick(second);
  }
  return slots;
}

function curveOf(values: readonly (number | null)[], greatest: number, width: number): string {
  const each = KEPT_SECONDS / width;
  return Array.from({ length: width }, (_, index) => {
    const some = values.slice(index * each, (index + 1) * each).filter((value) => value !== null);
    if (some.length === 0) return ' ';
    const value = Math.max(...some);
    return LEVELS[value === 0 ? 0 : Math.max(1, Math.round(((LEVELS.length - 1) * value) / greatest))];
  }).join('');
}
