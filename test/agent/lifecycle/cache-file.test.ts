import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { CacheFileError, readCacheFile, writeCacheFile } from '../../../agent/lifecycle/cache-file.ts';
import { HandClock } from '../../support/clock.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const SETTINGS = { maxEntries: 1000, allowTtlSeconds: 60, denyTtlSeconds: 300, policyTtlSeconds: 1 };
const STALE = { ifErrorSeconds: 600, revalidateSeconds: 5 };
const SAVED_MS = 1_700_000_000_000;
const SUBJECTS = ['ip:203.0.113.7', 'ip:2001:db8::7', 'key:guest', 'host:a.example'];

describe('the file of the cache', () => {
  it('brings back every verdict for what is left of its time, and no failure', async (t) => {
    const { path, cache } = await saved(t);
    const restored = read(path, SAVED_MS + 100_000) as VerdictCache;
    for (const subject of SUBJECTS) {
      const [before, after] = [cache.explain(subject), restored.explain(subject)];
      assert.deepEqual(after, {
        contribution: before?.contribution,
        freshForSeconds: (before?.freshForSeconds ?? 0) - 100,
        keptForSeconds: (before?.keptForSeconds ?? 0) - 100,
      });
    }
    assert.equal(restored.explain('ip:203.0.113.99'), undefined);
    const address = new Address();
    address.readText('203.0.113.7');
    assert.equal(restored.decisionAbout(address, 0)?.action, 'deny');
  });

  it('is for its owner alone, and leaves nothing beside it', async (t) => {
    const { path } = await saved(t);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dirname(path)), ['cache']);
  });

  it('drops what is over', async (t) => {
    const { path } = await saved(t);
    const late = read(path, SAVED_MS + 1_000_000);
    assert.equal(late?.state.entries, 0);
  });

  for (const [name, at, key, says] of [
    ['older than it may be', SAVED_MS + 3_601_000, 'key', /is older than 3600 s/],
    ['from the future', SAVED_MS - 1, 'key', /from the future/],
    ['about other lists', SAVED_MS, 'other', /other lists/],
  ] as const)
    it(`is not used when it is ${name}`, async (t) => {
      const { path } = await saved(t);
      assert.throws(() => read(path, at, key), says);
    });

  it('is never half used: cut off anywhere, it is refused', async (t) => {
    const { path } = await saved(t);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      assert.throws(() => read(path, SAVED_MS), CacheFileError, `${length} of ${whole.length} bytes`);
    }
  });

  it('is refused with any bit of it flipped', async (t) => {
    const { path } = await saved(t);
    const whole = readFileSync(path);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, damaged);
      assert.throws(() => read(path, SAVED_MS), CacheFileError, `bit ${bit}`);
    }
  });

  it('stays as it was where the new one cannot be written', async (t) => {
    const { path } = await saved(t);
    const before = readFileSync(path);
    const broken = (function* () {
      yield* new VerdictCache(SETTINGS, STALE, new HandClock()).snapshot();
      throw new Error('the disk is full');
    })();
    await assert.rejects(writeCacheFile(path, 'key', SAVED_MS, broken), /the disk is full/);
    assert.deepEqual(readFileSync(path), before);
    assert.deepEqual(readdirSync(dirname(path)), ['cache']);
  });

  it('may be missing', (t) => {
    const path = join(temporaryFolder(t), 'cache');
    assert.ok(!existsSync(path));
    assert.equal(read(path, SAVED_MS), undefined);
  });
});

/** A file of one verdict of each sort and one failure. */
async function saved(t: TestContext) {
  const path = join(temporaryFolder(t), 'cache');
  const cache = new VerdictCache(SETTINGS, STALE, new HandClock());
  const deny = { list: 'manual', action: 'deny', reason: 'abuse' } as const;
  cache.keepVerdict('ip:203.0.113.7', { ...deny, subject: 'ip:203.0.113.7' }, 3600);
  cache.keepVerdict('ip:2001:db8::7', { ...deny, subject: 'ip:2001:db8::/64' }, 3600);
  cache.keepVerdict('key:guest', { ...deny, subject: 'key:guest' }, 3600);
  cache.keepVerdict('host:a.example', null, 3600);
  cache.keepFailure('ip:203.0.113.99', 'backend_error');
  await writeCacheFile(path, 'key', SAVED_MS, cache.snapshot());
  return { path, cache };
}

function read(path: string, nowMs: number, key = 'key'): VerdictCache | undefined {
  const found = readCacheFile(path, { key, nowMs, maxAgeSeconds: 3600 });
  if (found === undefined) return undefined;
  const cache = new VerdictCache(SETTINGS, STALE, new HandClock());
  cache.restore(found.blocks, found.elapsedTicks);
  return cache;
}
