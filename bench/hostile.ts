// Measures the time that one hostile value takes on the agent's only thread, from the NOTIFY to the question.

import { Address } from '../agent/decision/address.ts';
import type { Decision } from '../agent/decision/decision.ts';
import { type MessageConfig, MessageHandler } from '../agent/server/message-handler.ts';
import { COOKIE_ARGUMENT } from '../haproxy/variables.ts';
import { encodeFrame, FrameType, NO_IDS } from '../spop/frame.ts';
import { FrameReader } from '../spop/frame-reader.ts';
import { PayloadWriter } from '../spop/payload-writer.ts';
import { DataType } from '../spop/typed-data.ts';
import { randomFrom } from './notify-pool.ts';

/** The times of one kind, in microseconds. */
export interface HostileCost {
  readonly kind: string;
  readonly values: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly mostUs: number;
  /** The beginning of the value of `mostUs`. */
  readonly worst: string;
}

const MESSAGE = 'check-request';
/** HAProxy's usual frame has 16,380 bytes. */
const LONGEST = 16_000;
const LENGTHS = [45, 254, 1024, 3074, 4095, LONGEST];
const RANDOM_VALUES = 400;
/** The minimum of this many runs counts: others may be disturbed by the machine. */
const RUNS = 7;
/** This many of the slowest values are measured again. */
const DOUBTED = 200;
const DOUBTED_RUNS = 50;
const ALLOWED: Decision = { action: 'allow', source: 'cache' };

/** Pieces that are hard to parse for some kind when repeated, alone or in pairs. */
const PIECES = [
  ...[
    '/',
    '/.',
    '/..',
    '/a',
    '/%',
    '%',
    '%2',
    '%61',
    '%2e',
    '%2F',
    '%C3',
    '*',
    ';',
    '|',
    '\\',
    '?',
    '#',
    ' ',
    '"',
    '\t',
  ],
  ...[
    'a',
    'A',
    '=',
    ',',
    ';=',
    'a=;',
    'a=',
    'session=',
    'sessio=',
    '%73ession=',
    'session ',
    ' session =',
    '; ',
    'session="',
  ],
  ...['.', 'a.', ':', '1.', '::', '1:', '[', 'xn--', 'xn--a.', 'xn--p1ai.', 'xn--gre-6ka8l.', '-', '_.', '0x.'],
  ...['\xff', '\xc3\xbc', '\xe2\x80\x8b', '\xf0\x9f\xa6\x8a', '\xc2\xa0', '\xa0', '\xed\xa0\x80', '\xef\xbb\xbf'],
];

/** Each kind with its argument, and cookies also from a whole header. */
const KINDS: Readonly<Record<string, MessageConfig>> = {
  ...Object.fromEntries(
    ['ip', 'host', 'path', 'method', 'country', 'asn', 'ua', 'ja4', 'key', 'header.x', 'cookie.session'].map((kind) => [
      kind,
      ruleOf([kind]),
    ]),
  ),
  'path, odd ones pass': { ...ruleOf(['path']), oddPaths: 'pass' },
  'the Cookie header': { ...ruleOf(['cookie.session']), cookies: new Map([['cookie.session', 'session']]) },
};

export function measureHostile(): HostileCost[] {
  return Object.entries(KINDS).map(([kind, rule]) => {
    const argument = rule.cookies === undefined ? (rule.kinds[0] as string) : COOKIE_ARGUMENT; // each has one
    const prefix = argument === COOKIE_ARGUMENT ? 'session=' : argument === 'path' ? '/' : '';
    const values = hostileValues(prefix);
    const handler = new MessageHandler(
      [rule],
      { decide, decideKnown: decide, decideAddress: decide, cached: () => undefined },
      EVENTS,
      new Address(),
    );
    const frames = values.map((value) => frameOf(argument, value));
    const times = frames.map(() => Number.POSITIVE_INFINITY);
    const measure = (index: number) => {
      times[index] = Math.min(times[index] as number, answered(handler, frames[index] as Uint8Array)); // in bounds
    };
    for (let run = 0; run < RUNS; run++) for (const index of frames.keys()) measure(index);
    // The slowest value may only be the first of its kind, for which the engine compiles code.
    const worstFirst = [...frames.keys()].sort((one, other) => (times[other] as number) - (times[one] as number));
    for (const index of worstFirst.slice(0, DOUBTED)) for (let run = 0; run < DOUBTED_RUNS; run++) measure(index);
    const sorted = times.toSorted((one, other) => one - other);
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] as number) * 1000; // in bounds
    const worst = values[times.indexOf(sorted.at(-1) as number)] as string; // one of them
    return {
      ...{ kind, values: values.length, p50Us: at(0.5), p99Us: at(0.99), mostUs: at(1) },
      worst: `${worst.length} of ${JSON.stringify(worst.slice(0, 24))}`,
    };
  });
}

function hostileValues(prefix: string): string[] {
  const alone = PIECES.flatMap((unit) => LENGTHS.map((length) => filled(prefix, unit, length)));
  const units = PIECES.flatMap((one) => PIECES.map((other) => one + other));
  const pairs = units.flatMap((unit) => LENGTHS.slice(-2).map((length) => filled(prefix, unit, length)));
  const random = randomFrom(1);
  const mixed = Array.from({ length: RANDOM_VALUES }, () => {
    const parts: string[] = [];
    for (let bytes = 0; bytes < LONGEST; bytes += parts.at(-1)?.length ?? 0)
      parts.push(PIECES[Math.floor(random() * PIECES.length)] as string); // in bounds
    return filled(prefix, parts.join(''), LENGTHS[Math.floor(random() * LENGTHS.length)] as number);
  });
  return [...alone, ...pairs, ...mixed];
}

function filled(prefix: string, unit: string, length: number): string {
  return `${prefix}${unit.repeat(Math.ceil(length / unit.length))}`.slice(0, length);
}

function ruleOf(kinds: readonly string[]): MessageConfig {
  return { name: MESSAGE, policy: { default: 'open' }, kinds, target: { scope: 'txn', vars: new Map() } };
}

/** Bytes of a chunk, as they come from a socket. */
function frameOf(argument: string, value: string): Uint8Array {
  const bytes = Buffer.from(value, 'latin1');
  const payload = new PayloadWriter()
    .text(MESSAGE)
    .byte(1)
    .text(argument)
    .byte(DataType.string)
    .varint(bytes.length)
    .raw(bytes);
  return Buffer.from(encodeFrame(FrameType.notify, NO_IDS, payload.finish()));
}

function answered(handler: MessageHandler, bytes: Uint8Array): number {
  const reader = new FrameReader(16_384);
  reader.push(bytes);
  const frame = reader.next();
  if (frame === undefined) throw new Error('no whole frame');
  const startedMs = performance.now();
  handler.answer(frame, 0, 16_380);
  return performance.now() - startedMs;
}

function decide(): Decision {
  return ALLOWED;
}

const EVENTS = {
  unknownMessage: (name: string) => {
    throw new Error(`message ${name} is unknown`);
  },
  internalError: (error: unknown) => {
    throw error;
  },
};
