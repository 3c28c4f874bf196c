import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import type { Entry } from '../../../contract/check.ts';
import { formatSubject, subjectFromTraffic } from '../../../contract/subject.ts';
import { HandClock } from '../../support/clock.ts';
import { describeNewer, longRuns, SCOPE } from '../../support/scope.ts';

const MAX_ENTRIES = 1_000_000;
/** Enough that what else the process does meanwhile counts for little. */
const MEASURED_BYTES = 6 * 1024 * 1024;
const MAX_ERROR = 1.15;
/** Below this each counts as a whole place, however little it takes. */
const FLOOR_BYTES = 256;

setFlagsFromString('--expose-gc');
const gc: (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void = runInNewContext('gc');

/** Characters that V8 keeps in one byte and in two, as UTF-8 brings them. */
const FILLERS = { ASCII: 'x', 'Latin-1': 'é', 'two-byte': '\u4e01', astral: '😀' } as const;

const KINDS = ['ua', 'header.x-plan', 'cookie.session', 'path', 'host'] as const;

describeNewer('the bytes of a cache', () => {
  // What the process left behind at its start goes, and the engine compiles what it sees often.
  before(() => {
    for (const kind of KINDS)
      measured(
        (nth) => text(kind, nth, 'x', 500),
        () => null,
      );
  });

  for (const [name, filler] of Object.entries(FILLERS))
    it(`are what texts of ${name} characters take, within 15 %`, () => {
      const shapes = fc.tuple(fc.constantFrom(...KINDS), fc.integer({ min: 10, max: 900 }));
      fc.assert(
        fc.property(shapes, ([kind, bytes]) => {
          const filled = (nth: number) => text(kind, nth, filler, bytes);
          const { taken, said, each } = measured(
            (nth) => filled(nth),
            () => null,
          );
          assert.ok(taken <= said * MAX_ERROR, `${kind}: ${taken} taken, ${said} said`);
          if (each > 2 * FLOOR_BYTES) assert.ok(said <= taken * MAX_ERROR, `${kind}: ${taken} taken, ${said} said`);
        }),
        { numRuns: longRuns(3, 1) },
      );
    });

  for (const name of ['ASCII', 'two-byte'] as const)
    it(`have room for what entries say in ${name} characters, of addresses and of others`, () => {
      const say = (nth: number) => `${nth} ${FILLERS[name].repeat(60)}`;
      const names = (nth: number, count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, at) => [`req.set.x-${nth}-${at}`, `${nth}-${at}`]));
      const entries: readonly ((subject: string, nth: number) => Entry)[] = [
        (subject, nth) => ({ subject, list: 'manual', action: 'deny', reason: say(nth) }),
        (subject, nth) => ({ subject, list: 'manual', action: 'deny', vars: { body: say(nth) } }),
        (subject, nth) => ({ subject, list: 'manual', action: 'tag', vars: names(0, 16), reason: `${nth}` }),
        (subject, nth) => ({ subject, list: 'manual', action: 'tag', vars: names(nth, 4) }),
        (subject, nth) => ({ subject, list: 'manual', action: 'tag', vars: names(nth, 16) }),
        (subject, nth) => ({
          ...{ subject, list: 'manual', action: 'allow' },
          unlessAllowed: { subject: `${subject}*`, list: 'manual', action: 'deny', reason: say(nth) },
        }),
      ];
      const path = (nth: number) => text('path', nth, 'x', 50);
      const usual = name === 'ASCII' ? [address] : [path];
      for (const subject of SCOPE === 'all' ? [address, path] : usual)
        for (const [place, entry] of entries.entries()) {
          // as JSON brings it, so that nothing is shared
          const brought = (text: string, nth: number): Entry => JSON.parse(JSON.stringify(entry(text, nth)));
          const { taken, said } = measured(subject, brought);
          assert.ok(taken <= said * MAX_ERROR, `entry ${place} of ${subject(0)}: ${taken} taken, ${said} said`);
        }
    });
});

/** What so many verdicts take of the heap, and what the cache says that it is. */
function measured(
  subjectFromTraffic: (nth: number) => string,
  entryOf: (subject: string, nth: number) => Entry | null,
) {
  const settings = { maxEntries: MAX_ENTRIES, allowTtlSeconds: 60, denyTtlSeconds: 300, policyTtlSeconds: 1 };
  const cache = new VerdictCache(settings, { ifErrorSeconds: 600, revalidateSeconds: 5 }, new HandClock());
  const keep = (nth: number) => {
    const subject = subjectFromTraffic(nth);
    cache.keepVerdict(LookupSubject.parse(subject), entryOf(subject, nth), 3600);
  };
  for (let nth = 0; nth < 100; nth++) keep(nth); // what is made once
  const hundredth = cache.state.bytes;
  for (let nth = 100; nth < 200; nth++) keep(nth);
  const saidBefore = cache.state.bytes;
  const count = 200 + Math.ceil(MEASURED_BYTES / ((saidBefore - hundredth) / 100));
  const before = heldBytes();
  for (let nth = 200; nth < count; nth++) keep(nth);
  const taken = heldBytes() - before;
  assert.equal(cache.state.entries, count);
  const said = cache.state.bytes - saidBefore;
  cache.clear(); // what the next measurement would see go
  return { taken, said, each: said / (count - 200) };
}

/** On the heap, and in the arrays of the tables, when nothing more can be collected. */
function heldBytes(): number {
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }); // waits for the threads that sweep, too
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    if (before - heapUsed < 4096) return heapUsed + arrayBuffers;
    before = heapUsed;
  }
}

/** The subject of a value of about so many bytes, as traffic brings it. */
function text(kind: (typeof KINDS)[number], nth: number, filler: string, bytes: number): string {
  const count = Math.ceil(bytes / Buffer.byteLength(filler));
  const value = {
    path: `/${nth}/${'x'.repeat(bytes)}`,
    host: `h${nth}.${'y'.repeat(Math.min(60, bytes))}.example`,
    other: `${nth} ${filler.repeat(count)}`,
  }[kind === 'path' || kind === 'host' ? kind : 'other'];
  const cut = kind === 'cookie.session' ? Array.from(value).slice(0, 80).join('') : value; // percent-encoded it is longer
  const subject = subjectFromTraffic(kind, Buffer.from(cut));
  assert.ok(subject, `${kind} of ${bytes} bytes`);
  return formatSubject(subject);
}

function address(nth: number): string {
  return `ip:10.${nth >> 16}.${(nth >> 8) & 255}.${nth & 255}`;
}
