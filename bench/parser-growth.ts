// Checks that parsers of untrusted text take linear time at most: a text made for backtracking that is four times as long
// may take four times as long, but not sixteen.

import { Readable } from 'node:stream';
import { parseLogLine } from '../cli/access-log/haproxy-log.ts';
import { FORMAT_NAMES, type FormatName } from '../cli/formats/formats.ts';
import { readFeed } from '../cli/formats/read-feed.ts';
import { parseDuration } from '../cli/options/duration.ts';
import { REASON } from '../contract/check.ts';
import { PLAIN_VARS, varsProblem } from '../contract/entry-vars.ts';
import { cookieValues } from '../contract/kinds/cookie.ts';
import { isOddPath } from '../contract/kinds/path.ts';
import { printable } from '../contract/printable.ts';
import { KINDS, parseSubject, subjectFromTraffic } from '../contract/subject.ts';

/** How long a parser takes for a text of `LENGTHS`. */
export interface Growth {
  readonly parser: string;
  /** The longest time of any long text, in milliseconds. */
  readonly mostMs: number;
  /** The greatest ratio of the times of a long and a short text, if the long one took `NOTICEABLE_MS`. */
  readonly growth: number;
  /** The beginning of the text of `growth`, else of `mostMs`. */
  readonly worst: string;
}

const LENGTHS = [15_000, 60_000] as const;
const NOTICEABLE_MS = 4;
/** The minimum of this many runs counts. */
const RUNS = 3;

const BEGINNINGS = ['', '/', '1.2.3.4', '"', '{"subject":"', '<134>1 '];
const PIECES = [
  ...[
    'a',
    '"',
    '""',
    ',',
    '";',
    ' ',
    '\t',
    '#',
    ' #',
    '; ',
    '-',
    ' - ',
    '1.2.3.4 - ',
    '1.',
    ':',
    '::',
    '1:',
    '/',
    '/.',
  ],
  ...['%', '%2', '%61', '*', '*.', '.', '[', '{', '[[', '{"a":', '"a",', '\\', '\\"', '\u2028', '\u200b', 'ü', '🦊'],
  ...[
    '0',
    '0h',
    '1h1m',
    '=',
    '1h1m1',
    '<!',
    '&',
    '\r',
    '@',
    'a=;',
    'session=',
    'xn--',
    'xn--a.',
    '[06/Feb/2009:',
    '1-',
  ],
];

type Parser = (text: string) => unknown;

const PARSERS: Readonly<Record<string, Parser>> = {
  ...Object.fromEntries(FORMAT_NAMES.map((format) => [`feed, ${format}`, feedParser(format)])),
  'feed, found out': feedParser(undefined),
  ...Object.fromEntries(KINDS.map((kind) => [`entry of ${kind}`, (text: string) => parseSubject(`${kind}:${text}`)])),
  'entry of any kind': parseSubject,
  ...Object.fromEntries(
    KINDS.map((kind) => [`value of ${kind}`, (text: string) => subjectFromTraffic(kind, Buffer.from(text))]),
  ),
  'Cookie header': (text) => cookieValues(Buffer.from(text), 'session'),
  'odd path': (text) => isOddPath(Buffer.from(text)),
  ...Object.fromEntries(
    PLAIN_VARS.map((name) => [`variable ${name}`, (text: string) => varsProblem({ [name]: text })]),
  ),
  reason: (text) => REASON.test(text),
  'text for a message': printable,
  duration: parseDuration,
  'log line of HAProxy': parseLogLine,
};

export async function measureGrowth(): Promise<Growth[]> {
  const found: Growth[] = [];
  for (const [parser, parse] of Object.entries(PARSERS)) found.push(await growthOf(parser, parse));
  return found;
}

async function growthOf(parser: string, parse: Parser): Promise<Growth> {
  let most: Growth = { parser, mostMs: 0, growth: 1, worst: '' };
  for (const beginning of BEGINNINGS)
    for (const piece of PIECES) {
      const [shortMs, longMs] = [
        await leastMs(parse, beginning, piece, LENGTHS[0]),
        await leastMs(parse, beginning, piece, LENGTHS[1]),
      ];
      const growth = longMs < NOTICEABLE_MS ? 1 : longMs / shortMs;
      const isWorse = growth > most.growth || (most.growth === 1 && longMs > most.mostMs);
      most = {
        ...{ parser, mostMs: Math.max(most.mostMs, longMs), growth: Math.max(most.growth, growth) },
        worst: isWorse ? JSON.stringify(beginning + piece) : most.worst,
      };
    }
  return most;
}

async function leastMs(parse: Parser, beginning: string, piece: string, length: number): Promise<number> {
  const text = beginning + piece.repeat(Math.ceil(length / piece.length));
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const startedMs = performance.now();
    try {
      await parse(text);
    } catch {
      // refusals are measured too
    }
    least = Math.min(least, performance.now() - startedMs);
  }
  return least;
}

function feedParser(format: FormatName | undefined): Parser {
  const heading = format === 'csv' ? 'subject,reason\n' : '';
  return async (text) => {
    const bytes = Readable.from([Buffer.from(`${heading}${text}\n`)]);
    const { lines } = await readFeed(bytes, { format, name: 'feed', nowMs: 0 });
    for await (const _ of lines);
  };
}
