import { editDistance } from './did-you-mean.ts';
import { parseListenAddress } from './listen-address.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const UNIT_NAMES: Readonly<Record<string, string>> = {
  msec: 'ms',
  msecs: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hour: 'h',
  hours: 'h',
  hr: 'h',
  hrs: 'h',
  day: 'd',
  days: 'd',
  week: 'w',
  weeks: 'w',
};
const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1_000_000 };
const MEGABYTES: Readonly<Record<string, number>> = { '': 1, m: 1, mb: 1, mib: 1, g: 1024, gb: 1024, gib: 1024 };
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** The valid value that an invalid one was most likely meant to be; undefined if that is unclear. */
export function suggestedValue(key: string, mustBe: string, value: unknown): string | undefined {
  const meant = Array.isArray(value) && value.length === 1 && !/^a (list|map)/.test(mustBe) ? value[0] : value;
  if (typeof meant !== 'string' && typeof meant !== 'number' && typeof meant !== 'boolean') return undefined;
  const text = String(meant).trim();
  const [, from, to] = /^(?:128 or )?a whole number from (\d+) to (\d+)$/.exec(mustBe) ?? [];
  if (to !== undefined) return wholeNumber(key, text, Number(from), Number(to));
  if (mustBe === 'a number from 0 to 1') return toFraction(text);
  if (mustBe === 'true or false') return toBoolean(text.toLowerCase());
  if (mustBe.startsWith('three octal digits')) return mode(text);
  if (mustBe.startsWith('tcp://')) return address(text);
  if (mustBe.startsWith('a duration')) return duration(text);
  if (/^a list of/.test(mustBe)) return list(mustBe, text);
  return choice(mustBe, text);
}

function toBoolean(text: string): string | undefined {
  return Object.hasOwn(BOOLEANS, text) ? String(BOOLEANS[text]) : undefined; // it may be `constructor`
}

function wholeNumber(key: string, text: string, from: number, to: number): string | undefined {
  const amount = amountIn(text);
  if (amount === undefined) return undefined;
  const { number, unit } = amount;
  const base = key.endsWith('Ms') ? 'ms' : key.endsWith('Seconds') ? 's' : undefined;
  const each = base === undefined ? multiple(key, unit.toLowerCase()) : unit === '' ? 1 : inUnit(unit, base);
  const whole = each === undefined ? Number.NaN : Number((number * each).toFixed(6));
  return Number.isInteger(whole) && whole >= from && whole <= to ? String(whole) : undefined;
}

function multiple(key: string, unit: string): number | undefined {
  return (key.endsWith('Megabytes') ? MEGABYTES : MULTIPLES)[unit];
}

function inUnit(unit: string, base: string): number | undefined {
  const ms = UNIT_MS[unitOf(unit)];
  return ms === undefined ? undefined : ms / (UNIT_MS[base] ?? 1);
}

function unitOf(written: string): string {
  const unit = written.toLowerCase();
  return UNIT_NAMES[unit] ?? unit;
}

/** A number with its unit: `40ms`, `1.5 s`, `1_000`, `10,000`, `50%`. */
function amountIn(text: string): { readonly number: number; readonly unit: string } | undefined {
  const [, digits = '', unit = ''] =
    /^([+-]?\d[\d_]*(?:\.\d+)?|[+-]?\d{1,3}(?:[,']\d{3})+)\s*([a-z]*|%)$/i.exec(text) ?? [];
  return digits === '' ? undefined : { number: Number(digits.replaceAll(/[_,']/g, '')), unit };
}

function toFraction(text: string): string | undefined {
  const { number = Number.NaN, unit } = amountIn(text) ?? {};
  const value = unit === '%' || (unit === '' && number > 1) ? number / 100 : unit === '' ? number : Number.NaN;
  return value >= 0 && value <= 1 ? String(value) : undefined;
}

/** Without the execute bits, which have no meaning for sockets. */
function mode(text: string): string | undefined {
  const [, digits] = /^(?:0o?)?([0-7]{3})$/.exec(text) ?? [];
  return digits === undefined ? undefined : `"0${digits.replaceAll(/[1357]/g, (digit) => String(Number(digit) - 1))}"`;
}

function address(text: string): string | undefined {
  const [, host, port = ''] = /^(?:[a-z]+:\/\/)?(?:(\[[0-9a-f:.]+\]|[a-z0-9.-]+|\*)?:)?(\d{1,5})\/?$/i.exec(text) ?? [];
  const meant = text.startsWith('/')
    ? `unix:${text}`
    : `tcp://${host === '*' ? '0.0.0.0' : (host ?? '127.0.0.1')}:${port}`;
  return parseListenAddress(meant) === undefined ? undefined : meant;
}

/** One value instead of a list. */
function list(mustBe: string, text: string): string | undefined {
  if (mustBe.endsWith('list names'))
    return /^(?!(true|false|null)$)[a-z][a-z0-9._-]{0,63}$/.test(text) ? `[${text}]` : undefined;
  if (!mustBe.endsWith('addresses to listen on')) return undefined;
  const item = parseListenAddress(text) === undefined ? address(text) : text;
  return item === undefined ? undefined : `["${item}"]`;
}

function duration(text: string): string | undefined {
  const { number = 0, unit = '' } = amountIn(text) ?? {};
  const [count, base] = unitOf(unit) === 'w' ? [number * 7, 'd'] : [number, unitOf(unit)];
  return Number.isInteger(count) && count >= 1 && count <= 9999 && /^[smhd]$/.test(base)
    ? `${count}${base}`
    : undefined;
}

/** One of a few words, with a typo or in capitals. */
function choice(mustBe: string, text: string): string | undefined {
  const words = mustBe.split(/, or a .*|, | or /).filter((word) => word !== '');
  if (words.length < 2 || !words.every((word) => /^[a-z][a-z-]*$/.test(word)) || !/^[a-z-]{3,}$/i.test(text))
    return undefined;
  const [best] = words
    .map((word) => ({ word, edits: editDistance(text.toLowerCase(), word) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= Math.min(2, Math.ceil(text.length / 4)) ? best.word : undefined;
}
