import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openBackend } from '../../../agent/backend/backend.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import { LIST, UpdatesFunction } from '../../support/updates-function.ts';

describe('the manifest of a mirror', () => {
  it('is answered by the function once: after that 304, unless another one is known, or that of another backend', async (t) => {
    const lists = await UpdatesFunction.start();
    t.after(() => lists.close());
    const { url } = lists;
    const backend = await openBackend(
      { targets: [{ url }], timeoutMs: 2000, maxConcurrent: 1 },
      { lists: [LIST], shadowLists: [], listActions: {} },
      { info() {}, warn() {}, error() {} },
      systemClock,
      { gotCredentials() {}, notCounted() {}, called() {}, callFailed() {} },
    );
    t.after(() => backend.close());
    const { answer } = await backend.manifest(undefined);
    assert.ok(typeof answer === 'object', String(answer));
    const { now: _now, ...manifest } = answer;
    assert.equal((await backend.manifest({ url, id: manifest.id })).answer, 'same');
    for (const known of [
      { url, id: 'other' },
      { url: 'https://other.example', id: manifest.id },
    ])
      assert.partialDeepStrictEqual((await backend.manifest(known)).answer, manifest);
  });
});
