import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type KnownSetting, knownSettings } from '../../config/catalogue.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/load.ts';
import { configFile } from '../support/config-file.ts';
import { longRuns } from '../support/scope.ts';

const UNITS = {
  Megabytes: [
    ['MB', 1],
    ['MiB', 1],
    [' G', 1024],
  ],
  Ms: [
    ['ms', 1],
    ['s', 1000],
    [' sec', 1000],
    ['m', 60_000],
    ['h', 3_600_000],
  ],
  Seconds: [
    ['s', 1],
    [' seconds', 1],
    ['m', 60],
    ['min', 60],
    ['h', 3600],
    ['d', 86_400],
  ],
} as const;
const NUMBERS = knownSettings().filter(
  ({ shape, mustBe }) => shape === 'number' && mustBe.startsWith('a whole number'),
);

/** A configuration with this value at a setting, whatever it has to be beside it. */
function withValue(path: readonly string[], value: unknown): string {
  const keys = path
    .flatMap((key) => (key.endsWith('[]') ? [key.slice(0, -2), '[]'] : [key]))
    .map((key) => (key === 'NAME' ? 'check' : key === 'REASON' ? 'default' : key));
  const nested = keys.reduceRight<unknown>((inner, key) => (key === '[]' ? [inner] : { [key]: inner }), value);
  const own = nested as Record<string, unknown>; // no path begins with an item
  const backend = { ...(path[1]?.startsWith('url') ? {} : { url: 'http://127.0.0.1:1' }), ...(own.backend as object) };
  return stringify({ ...own, backend: path.length === 1 && path[0] === 'backend' ? value : backend });
}

function linesAbout(file: string, text: string): string[] {
  writeFileSync(file, text);
  try {
    loadSettings(file, {});
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

function boundsOf({ mustBe }: KnownSetting): { min: number; max: number } {
  const [, min, max] = /from (\d+) to (\d+)/.exec(mustBe) ?? [];
  return { min: Number(min), max: Number(max) };
}

describe('a number with a unit', () => {
  for (const setting of NUMBERS)
    it(`is told in the unit of ${setting.path.join('.')}`, (t) => {
      const file = configFile(t, '');
      const key = setting.path.at(-1) ?? '';
      const units = key.endsWith('Ms')
        ? UNITS.Ms
        : key.endsWith('Seconds')
          ? UNITS.Seconds
          : key.endsWith('Megabytes')
            ? UNITS.Megabytes
            : ([
                ['', 1],
                ['k', 1000],
              ] as const);
      fc.assert(
        fc.property(fc.integer(boundsOf(setting)), fc.constantFrom(...units), (wanted, [unit, each]) => {
          const lines = linesAbout(file, withValue(setting.path, `${wanted / each}${unit}`));
          const [, written] = /: write (\S+)$/.exec(lines[0] ?? '') ?? [];
          assert.equal(lines.length, 1, lines.join('\n'));
          // what has no plain spelling in that unit is only told what would be right
          if (/^\d+(\.\d{1,3})?$/.test(String(wanted / each))) assert.equal(written, String(wanted), lines[0]);
        }),
        { numRuns: longRuns(100) },
      );
    });
});

/** Quotes, negative, fractions, empty, nothing, lists, maps. */
const ODD = fc.oneof(
  fc.integer().map(String),
  fc.integer({ max: -1 }),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constantFrom(
    '',
    ' ',
    null,
    [],
    {},
    [[]],
    [null],
    true,
    '-1',
    '1e3',
    'true',
    '40ms',
    '50 %',
    '1.5.2',
    'constructor',
    '__proto__',
    '7toString',
    '0x10',
    -0,
    2 ** 53,
  ),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.integer(), { maxKeys: 2 }),
  fc.string({ maxLength: 20 }),
);

describe('an odd value', () => {
  for (const { path, mustBe } of knownSettings())
    it(`of ${path.join('.')} is taken, or told at its place with what would be right`, (t) => {
      const file = configFile(t, '');
      const place = path.join('.').replace('NAME', 'check').replace('REASON', 'default').replace('[]', '[0]');
      fc.assert(
        fc.property(ODD, (value) => {
          const lines = linesAbout(file, withValue(path, value));
          const own = lines.filter((line) =>
            line
              .slice(file.length)
              .replace(/^:\d+:\d+: /, '')
              .startsWith(place),
          );
          // a part that stands by itself may want another beside it
          if (own.length === 0) return;
          for (const line of own) assert.match(line, /: (must be|unknown setting)/);
          if (typeof value !== 'object' || value === null) {
            assert.equal(own.length, 1, own.join('\n'));
            assert.ok(
              own[0]?.includes(mustBe) || !/: must be (a |an |\d)/.test(own[0] ?? '') || place.includes('['),
              own[0],
            );
          }
        }),
        { numRuns: longRuns(150) },
      );
    });

  it('is never told a value that is not taken', (t) => {
    const file = configFile(t, '');
    const settings = knownSettings().filter(
      ({ path, shape }) =>
        shape !== 'map' && !path[0]?.endsWith('[]') && !['messages', 'shadowLists'].includes(path[0] ?? ''),
    );
    fc.assert(
      fc.property(fc.constantFrom(...settings), ODD, ({ path }, value) => {
        const [line = ''] = linesAbout(file, withValue(path, value));
        const [, written] = /: write (.+)$/.exec(line) ?? [];
        if (written === undefined) return;
        const marker = '4711471147';
        const corrected = withValue(path, marker).replace(
          new RegExp(`"?${marker}"?`),
          /\[0\]: must/.test(line) ? `[${written}]` : written, // of a list of one
        );
        assert.deepEqual(linesAbout(file, corrected), [], line);
      }),
      { numRuns: longRuns(5000) },
    );
  });
});

describe('an unknown key', () => {
  for (const [yaml, says] of [
    ['backend: { ulr: http://127.0.0.1:1 }', ':1:12: backend.ulr: unknown setting, did you mean url?'],
    ['ulr: http://127.0.0.1:1', ':1:1: ulr: unknown setting, did you mean backend.url?'],
    ['url: http://127.0.0.1:1', ':1:1: url: unknown setting, did you mean backend.url?'],
    [
      'backend: { url: "http://a" }\nlisten: [{ unx: /run/a.sock }]',
      ':2:12: listen[0].unx: unknown setting, did you mean unix?',
    ],
    ['backend: { url: "http://a" }\ntimeoutMs: 3', ':2:1: timeoutMs: unknown setting, did you mean backend.timeoutMs?'],
    [
      'backend: { url: "http://a" }\nmessages: { a: { subject: { ip: src } } }',
      ':2:18: messages.a.subject: unknown setting, did you mean subjects?',
    ],
    [
      'backend: { url: "http://a" }\nadmin: { lisen: "tcp://127.0.0.1:1" }',
      ':2:10: admin.lisen: unknown setting, did you mean listen?',
    ],
    [
      'backend: { url: "http://a" }\npolicy: { defualt: open }',
      ':2:11: policy.defualt: unknown setting, did you mean default?',
    ],
  ] as const)
    it(`is told in one line: ${yaml.split('\n').at(-1)}`, (t) => {
      const file = configFile(t, '');
      assert.deepEqual(linesAbout(file, yaml), [`${file}${says}`]);
    });
});

describe('the mode of a socket', () => {
  const digits = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 3, maxLength: 3 }).map((all) => all.join(''));
  it('has no bits for execution, and says what to write without them', (t) => {
    const file = configFile(t, '');
    fc.assert(
      fc.property(digits, fc.constantFrom('', '0', '0o'), fc.constantFrom('"', ''), (mode, prefix, quote) => {
        const yaml = (text: string) => `backend: { url: "http://a" }\nlisten: [{ unix: /run/a.sock, mode: ${text} }]\n`;
        const lines = linesAbout(file, yaml(`${quote}${prefix}${mode}${quote}`));
        const isRight = /^[0246]+$/.test(mode) && prefix !== '0o';
        assert.equal(lines.length, isRight ? 0 : 1, lines.join('\n'));
        const [, written = ''] = /: write (.+)$/.exec(lines[0] ?? '') ?? [];
        if (!isRight) assert.deepEqual(linesAbout(file, yaml(written)), [], lines[0]);
      }),
    );
  });
});
