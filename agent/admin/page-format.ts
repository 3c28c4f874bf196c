import { type HistogramState, quantile } from '../state/histogram.ts';
import { type Html, html } from './html.ts';

const NONE = '–';
/** Numbers from here on are abbreviated. */
const COMPACT_FROM = 10_000_000;
const COMPACT = { notation: 'compact', minimumFractionDigits: 2, maximumFractionDigits: 2 } as const;

let made: { readonly grouped: Intl.NumberFormat; readonly compact: Intl.NumberFormat } | undefined;

/** Not made before the first page: it takes as long as a tenth of an agent's start. */
function formats() {
  made ??= { grouped: new Intl.NumberFormat('en'), compact: new Intl.NumberFormat('en', COMPACT) };
  return made;
}

/** A whole number; the exact value is in the markup. */
export function count(value: number): Html {
  return html`<data value="${value}">${(value < COMPACT_FROM ? formats().grouped : formats().compact).format(value)}</data>`;
}

/** A rate per second. */
export function rate(value: number): string {
  if (value === 0 || value >= 100) return formats().grouped.format(Math.round(value));
  return value < 0.01 ? '< 0.01' : value.toFixed(value >= 10 ? 1 : 2);
}

export function share(part: number, whole: number): string {
  return whole === 0 ? NONE : `${((100 * part) / whole).toFixed(1)} %`;
}

export function seconds(value: number): string {
  if (value === 0) return '0 ms';
  if (value < 0.001) return `${Number((value * 1e6).toPrecision(3))} µs`;
  return value < 1 ? `${Number((value * 1e3).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`;
}

/** An upper bound of a quantile, as exact as the buckets allow. */
export function atMost(histogram: HistogramState, part: number): string {
  if (histogram.counts.every((times) => times === 0)) return NONE;
  const bound = quantile(histogram, part);
  return Number.isFinite(bound) ? `≤ ${seconds(bound)}` : `> ${seconds(histogram.bounds.at(-1) ?? 0)}`;
}

export function bytes(value: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`;
}

/** A duration in its two largest units: `3 d 4 h`. */
export function duration(milliseconds: number): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    `${Math.floor(whole / 86_400)} d`,
    `${Math.floor(whole / 3600) % 24} h`,
    `${Math.floor(whole / 60) % 60} min`,
    `${whole % 60} s`,
  ];
  const first = parts.findIndex((part) => !part.startsWith('0'));
  return parts
    .slice(first === -1 ? 3 : first)
    .slice(0, 2)
    .join(' ');
}

/** A time in UTC, with its date where that is not the day of `nowMs`. */
export function moment(epochMs: number, nowMs: number): Html {
  const iso = new Date(epochMs).toISOString();
  const isToday = iso.slice(0, 10) === new Date(nowMs).toISOString().slice(0, 10);
  return isToday ? timeOfDay(epochMs) : html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`;
}

/** The time of day in UTC; the date is in the markup. */
export function timeOfDay(epochMs: number): Html {
  const iso = new Date(epochMs).toISOString();
  return html`<time datetime="${iso}">${iso.slice(11, 19)}</time>`;
}
