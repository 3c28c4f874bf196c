import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { LocalMirror } from '../../../agent/updates/local-mirror.ts';
import { MirrorKeeper } from '../../../agent/updates/mirror-keeper.ts';
import { restoredFrom } from '../../../agent/updates/mirror-restore.ts';
import { pageStep, type UpdatesStep } from '../../../agent/updates/updates-step.ts';
import { HandClock } from '../../support/clock.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { changeOf, MirrorBackend } from '../../support/mirror-backend.ts';

const START_MS = 1_790_000_000_000;
const KEY = 'one';
const SETTINGS = {
  ...{ asked: { lists: ['manual'] }, key: KEY, maxEntries: 1000, allowTtlMs: 60_000, denyTtlMs: 300_000 },
  ...{ listedMs: 86_400_000, unlistedMs: 600_000 },
};
const addressOf = (n: number) => `ip:198.51.${n >> 8}.${n & 255}`;

/** A mirror of one process, with a file. */
async function setUp(t: TestContext) {
  const path = join(temporaryFolder(t), 'mirror');
  const clock = new HandClock(START_MS);
  const now = () => ({ bootMs: clock.nowMs(), epochMs: clock.epochMs() });
  const backend = new MirrorBackend(['manual'], () => clock.epochMs());
  let olds = 0;
  const keeper = new MirrorKeeper(path, KEY, clock, { warn: assert.fail }, () => olds++);
  for (let n = 0; n < 500; n++) backend.put(changeOf(addressOf(n)));
  backend.build('one');
  const manifest = backend.manifestNow() ?? assert.fail();
  const steps: UpdatesStep[] = [{ kind: 'begin', url: backend.url, manifest, clockAheadMs: 0 }];
  for (const [index, { n }] of manifest.segments.entries())
    steps.push({ kind: 'segment', index, packed: (await backend.segment('', 'one', n)) as Uint8Array });
  let { cursor } = manifest;
  /** The page that follows the last one. */
  const page = () => {
    const answer = backend.page(cursor);
    if (answer === 'gone') return assert.fail('gone');
    const step = pageStep(answer, { askedAt: now(), gotAt: now(), after: cursor });
    cursor = answer.cursor;
    return step;
  };
  const write = (...all: UpdatesStep[]) => {
    for (const step of all) void keeper.write(step);
  };
  const fill = () => write(...steps, { ...page(), isForNext: true }, { kind: 'swap' });
  /** The mirror of another process that reads the file. */
  const restored = async (key = KEY) => {
    const mirror = new LocalMirror(clock, now, () => {});
    t.after(() => mirror.close());
    mirror.use(SETTINGS);
    const running = restoredFrom(path, key, mirror, clock);
    const read = await pumped(clock, running);
    const stale = (text: string) => mirror.stale(LookupSubject.parse(text))?.action;
    return { ...read, mirror, stale };
  };
  return { path, clock, backend, keeper, page, write, fill, restored, olds: () => olds, steps };
}

/** Lets the time pass that slices wait for. */
async function pumped<Result>(clock: HandClock, running: Promise<Result>): Promise<Result> {
  let isDone = false;
  const ended = running.finally(() => (isDone = true));
  ended.catch(() => {});
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(0);
  }
  return ended;
}

describe('the file of a mirror', () => {
  it('has what the mirror has: its segments, and what changed since', async (t) => {
    const { fill, write, page, keeper, backend, clock, restored } = await setUp(t);
    fill();
    backend.put(changeOf('ip:203.0.113.0/24'), changeOf(addressOf(1), null));
    clock.advance(1000);
    write(page());
    await keeper.close();
    clock.advance(5000);
    const { mirror, stale, place, ageSeconds } = await restored();
    assert.deepEqual(['ip:203.0.113.9', addressOf(0), addressOf(1)].map(stale), ['deny', 'deny', 'allow']);
    assert.deepEqual([mirror.state.state, place?.cursor, ageSeconds], ['behind', `a.501.x`, 5]);
    assert.deepEqual(mirror.held?.differing(backend.states), []);
  });

  it('is there only once the mirror in it is whole, and goes on after a restart', async (t) => {
    const { path, steps, write, page, keeper, restored, backend, clock } = await setUp(t);
    write(...steps.slice(0, -1));
    await keeper.close();
    assert.equal(existsSync(path), false);
    assert.equal(existsSync(`${path}.tmp`), false);
    const first = new MirrorKeeper(path, KEY, clock, { warn: assert.fail }, () => {});
    for (const step of [...steps, { ...page(), isForNext: true }, { kind: 'swap' } as const]) void first.write(step);
    await first.close();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const { wholeBytes = 0, place } = await restored();
    truncateSync(path, wholeBytes);
    const second = new MirrorKeeper(path, KEY, clock, { warn: assert.fail }, () => {});
    second.goOn({ wholeBytes }, place?.cursor ?? '');
    backend.put(changeOf('ip:203.0.113.7'));
    await second.write(page());
    await second.close();
    assert.equal((await restored()).stale('ip:203.0.113.7'), 'deny');
  });

  it('is whole up to the last page that a crash left whole, or not used, wherever it is cut', async (t) => {
    const { path, fill, write, page, keeper, backend, restored } = await setUp(t);
    fill();
    backend.put(changeOf('ip:203.0.113.1'));
    write(page());
    await keeper.close();
    const first = readFileSync(path).length;
    const bytes = readFileSync(path);
    const second = new MirrorKeeper(path, KEY, new HandClock(START_MS), { warn: assert.fail }, () => {});
    second.goOn({ wholeBytes: first }, `a.501.x`);
    backend.put(changeOf('ip:203.0.113.2'));
    await second.write(page());
    await second.close();
    const whole = readFileSync(path);
    for (let cut = first; cut < whole.length; cut += 7) {
      writeFileSync(path, whole.subarray(0, cut));
      const { stale } = await restored();
      assert.deepEqual([stale('ip:203.0.113.1'), stale('ip:203.0.113.2')], ['deny', 'allow'], `cut at ${cut}`);
    }
    for (let cut = 0; cut < bytes.length - 200; cut += 501) {
      writeFileSync(path, bytes.subarray(0, cut));
      const outcome = await restored().then(
        ({ stale }) => stale('ip:203.0.113.1'),
        () => 'refused',
      );
      assert.ok(outcome === 'refused' || outcome === 'allow', `cut at ${cut}: ${outcome}`);
    }
  });

  it('is not used with one flipped bit, wherever', async (t) => {
    const { path, fill, keeper, restored } = await setUp(t);
    fill();
    await keeper.close();
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 13) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8((bytes[at] ?? 0) ^ (1 << (at % 8)), at);
      writeFileSync(path, flipped);
      await assert.rejects(restored(), /^MirrorFileError|Error: /, `bit at ${at}`);
    }
  });

  it('is not used if it is of other lists, or others may write to it', async (t) => {
    const { path, fill, keeper, restored } = await setUp(t);
    fill();
    await keeper.close();
    await assert.rejects(restored('two'), /belongs to other lists or another backend/);
    chmodSync(path, 0o620);
    await assert.rejects(restored(), /is writable by users other than its owner/);
  });

  it('is begun anew after a day', async (t) => {
    const { fill, page, backend, clock, keeper, olds } = await setUp(t);
    fill();
    await keeper.write(page());
    clock.advance(24 * 3_600_000 + 1);
    backend.put(changeOf('ip:203.0.113.1'));
    await keeper.write(page());
    await keeper.close();
    assert.equal(olds(), 1);
  });

  it('that cannot be written is told, once for each mirror', async (t) => {
    const { steps, clock, path } = await setUp(t);
    const warned: object[] = [];
    const keeper = new MirrorKeeper(
      `${path}/none`,
      KEY,
      clock,
      { warn: (fields) => void warned.push(fields) },
      () => {},
    );
    for (const step of steps) await keeper.write(step);
    assert.equal(warned.length, 1);
  });
});
