import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import type { CacheBlock } from '../../../agent/decision/cache-snapshot-block.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
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
      const [before, after] = [
        cache.explain(LookupSubject.parse(subject)),
        restored.explain(LookupSubject.parse(subject)),
      ];
      assert.deepEqual(after, {
        verdict: before?.verdict,
        freshForSeconds: (before?.freshForSeconds ?? 0) - 100,
        keptForSeconds: (before?.keptForSeconds ?? 0) - 100,
      });
    }
    assert.equal(restored.explain(LookupSubject.parse('ip:203.0.113.99')), undefined);
    const address = new Address();
    address.readText('203.0.113.7');
    assert.partialDeepStrictEqual(restored.lookupAddress(address, 0)?.verdict, { action: 'deny' });
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
    ['from the future', SAVED_MS - 1, 'key', /in the future/],
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

  const places: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['a link to the file', (path) => relinked(path), /is a symbolic link/],
    [
      'a pipe, which nobody waits for',
      (path) => replaced(path, (made) => spawnSync('mkfifo', [made])),
      /not a regular file/,
    ],
    ['a folder', (path) => replaced(path, (made) => mkdirSync(made)), /not a regular file/],
    ['a device', (path) => replaced(path, (made) => spawnSync('mknod', [made, 'c', '1', '3'])), /not a regular file/],
    ['writable by its group', (path) => chmodSync(path, 0o620), /writable by users other/],
    ['writable by all', (path) => chmodSync(path, 0o602), /writable by users other/],
    ['of another user', (path) => chownSync(path, 65534, 65534), /belongs to user 65534/],
  ];
  for (const [name, change, says] of places)
    if (process.geteuid?.() === 0 || !/device|another/.test(name))
      it(`is not used where it is ${name}`, { timeout: 10_000 }, async (t) => {
        const { path } = await saved(t);
        change(path);
        assert.throws(
          () => read(path, SAVED_MS),
          (error) => error instanceof CacheFileError && says.test(error.message),
        );
      });

  it('is written over no file that somebody linked to its temporary name, or to its own', async (t) => {
    const { path, cache } = await saved(t);
    const precious = join(dirname(path), 'precious');
    writeFileSync(precious, 'somebody needs this');
    for (const link of [`${path}.tmp`, path]) {
      if (existsSync(link)) renameSync(link, `${link}.old`);
      symlinkSync(precious, link);
      await writeCacheFile(path, 'key', SAVED_MS, cache.snapshot());
      assert.equal(readFileSync(precious, 'utf8'), 'somebody needs this');
      assert.ok(lstatSync(path).isFile());
      assert.equal(read(path, SAVED_MS)?.state.entries, SUBJECTS.length);
    }
  });

  const vars = { location: 'https://shop.example/' };
  const listed = { action: 'redirect', source: 'cache', list: 'manual', entry: 'ip:127.0.0.0/8', vars };
  const forged: readonly (readonly [string, unknown])[] = [
    ['a location that no entry has', { ...listed, vars: { location: 'javascript:alert(1)' } }],
    ['a header with a line end', { ...listed, vars: { ...vars, 'req.set.x-plan': 'a\r\nx-injected: 1' } }],
    ['an action that there is not', { ...listed, action: 'shutdown' }],
    ['a status that no redirect has', { ...listed, status: 200 }],
    ['a reason of two lines', { ...listed, reason: 'a\nb' }],
    ['a list with no name', { ...listed, list: '../x' }],
    ['a source that is none of a cache', { ...listed, source: 'script' }],
    ['an entry with a control character', { ...listed, entry: 'ip:\u001b[2J' }],
    ['no entry', { ...listed, entry: undefined }],
    ['a deny of no list', { action: 'deny', source: 'cache' }],
    ['unlessAllowed beside another action than allow', { ...listed, unlessAllowed: listed }],
    ['a worse thing behind an allow', { ...listed, action: 'allow', unlessAllowed: { ...listed, status: 1 } }],
    ['nothing', null],
    ['a text', 'deny'],
  ];
  for (const [name, verdict] of forged)
    it(`is not used with ${name} in it`, async (t) => {
      const path = join(temporaryFolder(t), 'cache');
      await writeCacheFile(path, 'key', SAVED_MS, [blockOf(verdict)]);
      assert.throws(() => read(path, SAVED_MS), /has entries that the backend cannot have returned/);
    });

  it('is used with what entries can have, and nothing more of it is taken', async (t) => {
    const path = join(temporaryFolder(t), 'cache');
    await writeCacheFile(path, 'key', SAVED_MS, [blockOf({ ...listed, ofOldAge: 1, expiresAt: 1 })]);
    assert.deepEqual(read(path, SAVED_MS)?.explain(LookupSubject.parse('ip:127.0.0.1'))?.verdict, listed);
  });

  for (const others of [[['host:a', 1, 1]], [['host:a', 1, 1.5, 0]], [[7, 1, 1, 0]], [['x'.repeat(1025), 1, 1, 0]], {}])
    it(`is not used with a row that is none: ${JSON.stringify(others).slice(0, 30)}`, async (t) => {
      const path = join(temporaryFolder(t), 'cache');
      const block = { ...blockOf(listed), others } as unknown as CacheBlock; // it is none
      await writeCacheFile(path, 'key', SAVED_MS, [block]);
      assert.throws(() => read(path, SAVED_MS), CacheFileError);
    });

  it('keeps nothing for longer than a backend could have it kept', async (t) => {
    const path = join(temporaryFolder(t), 'cache');
    const row = Int32Array.from([0x7f000001, 0x7fffffff, 0x7fffffff, 0]);
    const others = [['host:a', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0]] as const;
    await writeCacheFile(path, 'key', SAVED_MS, [{ ...blockOf(listed), ipv4: row, others }]);
    for (const subject of ['ip:127.0.0.1', 'host:a']) {
      const { freshForSeconds, keptForSeconds } = read(path, SAVED_MS)?.explain(LookupSubject.parse(subject)) ?? {};
      assert.deepEqual([freshForSeconds, keptForSeconds], [300, 900], subject);
    }
  });

  it('may be missing', (t) => {
    const path = join(temporaryFolder(t), 'cache');
    assert.ok(!existsSync(path));
    assert.equal(read(path, SAVED_MS), undefined);
  });
});

function replaced(path: string, make: (path: string) => unknown): void {
  renameSync(path, `${path}.old`);
  make(path);
}

function relinked(path: string): void {
  replaced(path, () => symlinkSync(`${path}.old`, path));
}

/** A block in which 127.0.0.1 has this verdict, whatever it is. */
function blockOf(verdict: unknown): CacheBlock {
  const ipv4 = Int32Array.from([0x7f000001, 600, 6000, 0]);
  return { verdicts: [verdict], ipv4, ipv6: new Int32Array(0), others: [] } as unknown as CacheBlock; // or none
}

/** A file of one verdict of each sort and one failure. */
async function saved(t: TestContext) {
  const path = join(temporaryFolder(t), 'cache');
  const cache = new VerdictCache(SETTINGS, STALE, new HandClock());
  const deny = { list: 'manual', action: 'deny', reason: 'abuse' } as const;
  cache.keepVerdict(LookupSubject.parse('ip:203.0.113.7'), { ...deny, subject: 'ip:203.0.113.7' }, 3600);
  cache.keepVerdict(LookupSubject.parse('ip:2001:db8::7'), { ...deny, subject: 'ip:2001:db8::/64' }, 3600);
  cache.keepVerdict(LookupSubject.parse('key:guest'), { ...deny, subject: 'key:guest' }, 3600);
  cache.keepVerdict(LookupSubject.parse('host:a.example'), null, 3600);
  cache.keepFailure(LookupSubject.parse('ip:203.0.113.99'), 'backend_error');
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
