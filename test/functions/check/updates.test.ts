import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENDPOINTS } from '../../../contract/check.ts';
import { type Change, UpdatesPage, updatesQuery } from '../../../contract/updates.ts';
import { createHandler } from '../../../functions/check/handler.ts';
import { Updates } from '../../../functions/check/updates.ts';
import { append } from '../../../updates/append.ts';
import { OLD_PROOF_MS } from '../../../updates/canary.ts';
import { NO_BASE } from '../../../updates/record.ts';
import { functionEvent } from '../../support/function-event.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const NOW_MS = 1_790_000_000_000;
const HOUR_MS = 3_600_000;
const LISTS = ['manual'];

describe('GET /v1/updates', () => {
  it('begins at the end of the log, without changes', async () => {
    const world = new World();
    await world.write('ip:192.0.2.1');
    const { cursor, changes } = await world.page({ lists: LISTS });
    assert.deepEqual(changes, []);
    await world.write('ip:192.0.2.2');
    const next = await world.page({ lists: LISTS, after: cursor });
    assert.deepEqual(
      next.changes.map(({ key }) => key.subject),
      ['ip:192.0.2.2'],
    );
    assert.deepEqual((await world.page({ lists: LISTS, after: next.cursor })).changes, []);
  });

  it('begins with the first record where there was none', async () => {
    const world = new World();
    const { cursor, provenAgeMs } = await world.page({ lists: LISTS });
    assert.equal(provenAgeMs, null);
    assert.equal((await world.page({ lists: LISTS, after: cursor })).cursor, cursor);
    await world.write('ip:192.0.2.1');
    assert.equal((await world.page({ lists: LISTS, after: cursor })).changes.length, 1);
  });

  it('has the changes of the lists that were asked for', async () => {
    const world = new World();
    const { cursor } = await world.page({ lists: LISTS });
    await world.write('ip:192.0.2.1', 'feed');
    await world.write('ip:192.0.2.2');
    const page = await world.page({ lists: LISTS, after: cursor });
    assert.deepEqual(
      page.changes.map(({ key }) => key),
      [{ subject: 'ip:192.0.2.2', list: 'manual' }],
    );
  });

  it('goes on page by page, each no longer than the contract allows', async () => {
    const world = new World();
    let { cursor: after } = await world.page({ lists: LISTS });
    const subjects = Array.from({ length: 4100 }, (_, index) => `host:h${index}.example`);
    await world.write(subjects);
    const got: string[] = [];
    const sizes: number[] = [];
    for (let more = true; more; ) {
      const page = await world.page({ lists: LISTS, after });
      got.push(...page.changes.map(({ key }) => key.subject));
      sizes.push(page.changes.length);
      ({ more, cursor: after } = page);
    }
    assert.deepEqual(got, subjects);
    assert.deepEqual(sizes, [2000, 2000, 100]);
  });

  it('says 410 to a cursor of nobody, of another log, from the future, or from what has expired', async () => {
    const world = new World();
    await world.write('ip:192.0.2.1');
    const { cursor } = await world.page({ lists: LISTS });
    await world.write('ip:192.0.2.2');
    const [base, number, id] = cursor.split('.');
    const strange = [
      'nobody',
      `${base}.9.${id}`,
      `${base}.${number}.other`,
      `other.${number}.${id}`,
      `${base}.0.${id}`,
    ];
    for (const after of strange) assert.equal((await world.ask({ lists: LISTS, after })).statusCode, 410, after);
    assert.equal((await world.ask({ lists: LISTS, after: cursor })).statusCode, 200);
    world.nowMs += 80 * HOUR_MS;
    assert.equal((await world.ask({ lists: LISTS, after: cursor })).statusCode, 410);
  });

  it('looks once more, consistently, before it says 410', async () => {
    const world = new World();
    await world.write('ip:192.0.2.1');
    const { cursor } = await world.page({ lists: LISTS });
    world.isLate = true;
    assert.equal((await world.ask({ lists: LISTS, after: cursor })).statusCode, 200);
  });

  it('ends before a missing record and before one of a later version, and does not say that there is more', async () => {
    for (const spoil of [
      (world: World) => void world.log.records.splice(2, 1),
      (world: World) => {
        const [, , record] = world.log.records;
        if (record !== undefined) world.log.records[2] = { ...record, packed: Buffer.from('later') };
      },
    ]) {
      const world = new World();
      const { cursor } = await world.page({ lists: LISTS });
      for (const last of [1, 2, 3, 4]) await world.write(`ip:192.0.2.${last}`);
      spoil(world);
      const page = await world.page({ lists: LISTS, after: cursor });
      assert.deepEqual([page.changes.length, page.more], [2, false]);
    }
  });

  it('tells nothing of freshness without a base, and the age of the oldest beat with one', async () => {
    const world = new World();
    await world.write('ip:192.0.2.1');
    assert.equal((await world.page({ lists: LISTS })).provenAgeMs, null);
    const [record] = world.log.records;
    assert.equal(record?.base, NO_BASE);
    const beats = { 1: NOW_MS - 3000, 2: NOW_MS - 840 };
    if (record !== undefined) world.log.records[0] = { ...record, base: 'a', beats };
    assert.equal((await world.page({ lists: LISTS })).provenAgeMs, 3000);
  });

  it('has the canaries written when the proof is old, seldom, and answers also where that fails', async () => {
    const world = new World();
    await world.write('ip:192.0.2.1');
    const [record] = world.log.records;
    const beats = { 7: NOW_MS - OLD_PROOF_MS - 1, 9: NOW_MS };
    if (record !== undefined) world.log.records[0] = { ...record, base: 'a', beats };
    world.isRefused = true;
    await world.page({ lists: LISTS });
    assert.deepEqual(world.written, [{ canaries: ['7', '9'], ageMs: 10_000 }]);
    world.nowMs += 4999;
    await world.page({ lists: LISTS });
    assert.equal(world.written.length, 1);
    world.nowMs += 1;
    await world.page({ lists: LISTS });
    assert.equal(world.written.length, 2);
  });

  it('has no canaries written while the proof is young, or where there is none', async () => {
    const world = new World();
    await world.page({ lists: LISTS });
    await world.write('ip:192.0.2.1');
    await world.page({ lists: LISTS });
    const [record] = world.log.records;
    if (record !== undefined) world.log.records[0] = { ...record, base: 'a', beats: { 7: NOW_MS - OLD_PROOF_MS } };
    await world.page({ lists: LISTS });
    assert.deepEqual(world.written, []);
  });

  it('says 410 where a new base has begun, so that nobody misses what was lost', async () => {
    const world = new World();
    await world.write('ip:192.0.2.1');
    const { cursor } = await world.page({ lists: LISTS });
    await world.write('ip:192.0.2.2');
    const last = world.log.records.at(-1);
    if (last !== undefined) world.log.records[1] = { ...last, base: 'b' };
    assert.equal((await world.ask({ lists: LISTS, after: cursor })).statusCode, 410);
  });

  for (const [what, query, error] of [
    ['no lists', '', 'lists is missing'],
    ['an invalid list name', 'lists=a,B', 'lists[1] must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit'],
    ['an invalid cursor', 'lists=a&after=%20', 'after must be 1 to 128 of A-Z a-z 0-9 . _ -'],
  ] as const)
    it(`refuses ${what}`, async () => {
      const { statusCode, body } = await new World().send(query);
      assert.deepEqual([statusCode, JSON.parse(body ?? '')], [400, { error }]);
    });

  it('is not there where nothing writes updates', async () => {
    const handler = createHandler({ store: new MemoryStore(), log() {}, clock: () => NOW_MS, ttlSeconds: 60 });
    const { statusCode } = await handler(functionEvent('GET', '/v1/updates?lists=manual'));
    assert.equal(statusCode, 404);
  });
});

/** The real handler over a log that the real append writes. */
class World {
  readonly log = new MemoryLog();
  nowMs = NOW_MS;
  /** Whether reads that are not consistent lack the newest record. */
  isLate = false;
  /** What canaries were written, and the age that they had to have. */
  readonly written: { canaries: readonly string[]; ageMs: number }[] = [];
  isRefused = false;
  #ids = 0;
  readonly #handler = createHandler({
    store: new MemoryStore(),
    log() {},
    clock: () => this.nowMs,
    ttlSeconds: 60,
    updates: new Updates({
      log: {
        tail: () => this.log.tail(),
        from: async (number, { isConsistent }) => {
          const { records, isAll } = await this.log.from(number);
          return { records: this.isLate && !isConsistent ? records.slice(0, -1) : records, isAll };
        },
      },
      canaries: {
        write: async (canaries, nowMs, beforeMs) => {
          this.written.push({ canaries, ageMs: nowMs - beforeMs });
          if (this.isRefused) throw new Error('no right');
        },
      },
      waitMs: 1000,
    }),
  });

  async write(subjects: string | readonly string[], list = 'manual'): Promise<void> {
    const keys = [subjects].flat().map((subject) => ({ subject, list }));
    const read = async (keys: readonly Change['key'][]) => keys.map((key) => ({ key, entry: null }));
    const facts = { stream: 's', canaries: {}, oldestMs: this.nowMs };
    const deps = { log: this.log, read, clock: () => this.nowMs };
    await append({ keys, ...facts }, { ...deps, newId: () => `id${++this.#ids}` });
  }

  send(query: string) {
    return this.#handler(functionEvent('GET', `${ENDPOINTS.updates.path}?${query}`));
  }

  ask(request: Parameters<typeof updatesQuery>[0]) {
    return this.send(updatesQuery(request));
  }

  async page(request: Parameters<typeof updatesQuery>[0]): Promise<UpdatesPage> {
    const { statusCode, body = '' } = await this.ask(request);
    assert.equal(statusCode, 200, body);
    return UpdatesPage.parse(JSON.parse(body));
  }
}
