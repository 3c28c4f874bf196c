import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ENDPOINTS } from '../../../contract/check.ts';
import { Mirror, mirrorProblem, mirrorQuery, segmentPath } from '../../../contract/mirror.ts';
import { createHandler } from '../../../functions/check/handler.ts';
import { MirrorAnswers } from '../../../functions/check/mirror.ts';
import { NO_BASE } from '../../../updates/record.ts';
import { functionEvent } from '../../support/function-event.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { KEYS, StreamWorld } from '../../updates/stream-world.ts';

const HOUR_MS = 3_600_000;

describe('GET /v1/mirror', () => {
  for (const path of [`${ENDPOINTS.mirror.path}?${mirrorQuery({ lists: ['manual'] })}`, segmentPath('7c21fe', 0)])
    it(`is not there where nothing writes updates: ${path}`, async () => {
      const handler = createHandler({ store: new MemoryStore(), log() {}, clock: () => 0, ttlSeconds: 60 });
      const { statusCode, body = '' } = await handler(functionEvent('GET', path));
      assert.deepEqual([statusCode, JSON.parse(body)], [404, { error: 'this backend has no mirror' }]);
    });

  it('is 503 until one is made, then says what to load, once for each who has it', async () => {
    const { world, ask } = await begun(false);
    const none = await ask(['manual']);
    assert.deepEqual([none.statusCode, none.headers?.['retry-after']], [503, '15']);
    await world.build();
    const there = await ask(['manual', 'nobody']);
    const mirror = Mirror.parse(JSON.parse(there.body ?? ''));
    assert.equal(mirrorProblem(mirror, ['manual', 'nobody']), undefined);
    assert.deepEqual([mirror.lists.manual?.count, mirror.lists.nobody?.count], [KEYS.length, 0]);
    const again = await ask(['manual'], String(there.headers?.etag));
    assert.deepEqual([again.statusCode, again.body], [304, undefined]);
    assert.equal((await ask(['manual'], '"another"')).statusCode, 200);
  });

  it('has segments that never change, and none of a mirror that is not there', async () => {
    const { ask, get } = await begun(true);
    const mirror = Mirror.parse(JSON.parse((await ask(['manual'])).body ?? ''));
    const { statusCode, headers, body = '' } = await get(segmentPath(mirror.id, 0));
    assert.equal(statusCode, 200);
    assert.deepEqual(
      [headers?.['content-encoding'], headers?.['cache-control']],
      ['gzip', 'private, max-age=31536000, immutable'],
    );
    assert.equal(gunzipSync(Buffer.from(body, 'base64')).length, mirror.segments[0]?.bytes);
    for (const path of [segmentPath(mirror.id, 1), segmentPath('nobody', 0), '/v1/mirror/a%20b/0', '/v1/mirror/a/x'])
      assert.equal((await get(path)).statusCode, 404, path);
    assert.equal((await get('/v1/mirror/a')).statusCode, 404);
  });

  it('is 503 where nobody could go on from it: its record has expired, or the log has another base', async () => {
    for (const [spoil, status] of [
      [(world: StreamWorld) => world.pass(73 * HOUR_MS), 503],
      [(world: StreamWorld) => rebase(world, 'another'), 503],
      [(world: StreamWorld) => rebase(world, NO_BASE), 200],
    ] as const) {
      const { world, ask } = await begun(true);
      spoil(world);
      assert.equal((await ask(['manual'])).statusCode, status);
    }
  });

  it('is not there for a table that is too large', async () => {
    const { world, ask } = await begun(true);
    const { newest } = world.mirrors;
    if (newest !== undefined) world.mirrors.newest = { ...newest, isTooLarge: true };
    assert.equal((await ask(['manual'])).statusCode, 404);
  });

  it('refuses a request without lists', async () => {
    const { get } = await begun(true);
    assert.equal((await get(ENDPOINTS.mirror.path)).statusCode, 400);
  });
});

async function begun(isBuilt: boolean) {
  const world = new StreamWorld();
  for (const key of KEYS) world.write(key, false);
  await world.settle();
  if (isBuilt) await world.build();
  const { log, mirrors } = world;
  const at = async (number: number) => log.records.find((record) => record.number === number);
  const handler = createHandler({
    ...{ store: new MemoryStore(), log() {}, clock: () => world.nowMs, ttlSeconds: 60 },
    mirror: new MirrorAnswers({ log: { tail: () => log.tail(), at }, mirrors }),
  });
  const get = (path: string, known?: string) => {
    const event = functionEvent('GET', path);
    return handler(known === undefined ? event : { ...event, headers: { ...event.headers, 'if-none-match': known } });
  };
  const ask = (lists: string[], known?: string) => get(`${ENDPOINTS.mirror.path}?${mirrorQuery({ lists })}`, known);
  return { world, get, ask };
}

function rebase(world: StreamWorld, base: string): void {
  const tail = world.log.records.at(-1) ?? assert.fail();
  world.log.records.push({ ...tail, number: tail.number + 1, base });
}
