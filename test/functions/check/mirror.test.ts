import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENDPOINTS } from '../../../contract/check.ts';
import { mirrorQuery, segmentPath } from '../../../contract/mirror.ts';
import { createHandler } from '../../../functions/check/handler.ts';
import { functionEvent } from '../../support/function-event.ts';
import { MemoryStore } from '../../support/memory-store.ts';

describe('GET /v1/mirror', () => {
  for (const path of [`${ENDPOINTS.mirror.path}?${mirrorQuery({ lists: ['manual'] })}`, segmentPath('7c21fe', 0)])
    it(`is not there where nothing writes updates: ${path}`, async () => {
      const handler = createHandler({ store: new MemoryStore(), log() {}, clock: () => 0, ttlSeconds: 60 });
      const { statusCode, body = '' } = await handler(functionEvent('GET', path));
      assert.deepEqual([statusCode, JSON.parse(body)], [404, { error: 'this backend has no mirror' }]);
    });
});
