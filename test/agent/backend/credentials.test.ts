import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Credentials, type Identity } from '../../../agent/backend/credentials.ts';
import { HandClock } from '../../support/clock.ts';

const MINUTE_MS = 60_000;

describe('credentials', () => {
  it('are fetched once for all who wait', async () => {
    const { credentials, answer, calls } = withSource();
    const waiting = [credentials.get(), credentials.get(), credentials.get()];
    await answer(key('A'));
    assert.deepEqual((await Promise.all(waiting)).map(nameOf), ['A', 'A', 'A']);
    assert.equal(nameOf(await credentials.get()), 'A');
    assert.equal(calls(), 1);
  });

  it('are renewed five minutes before their end, while the old ones are used', async () => {
    const { credentials, clock, answer, calls, ends } = withSource();
    const firstEndMs = clock.epochMs() + 60 * MINUTE_MS;
    void credentials.get();
    await answer(key('A', firstEndMs));
    clock.advance(55 * MINUTE_MS - 1);
    await credentials.get();
    assert.equal(calls(), 1);
    clock.advance(1);
    assert.equal(nameOf(await credentials.get()), 'A'); // the source has not answered yet
    assert.equal(nameOf(await credentials.get()), 'A');
    assert.equal(calls(), 2);
    await answer(key('B', clock.epochMs() + 60 * MINUTE_MS));
    assert.equal(nameOf(await credentials.get()), 'B');
    assert.deepEqual(ends, [firstEndMs, clock.epochMs() + 60 * MINUTE_MS]);
  });

  it('are used to their end when there are no new ones, which is told once and asked every ten seconds', async () => {
    const { credentials, clock, answer, fail, calls, told } = withSource();
    const endMs = clock.epochMs() + 60 * MINUTE_MS;
    void credentials.get();
    await answer(key('A', endMs));
    clock.advance(55 * MINUTE_MS);
    for (let second = 0; second < 25; second++) {
      assert.equal(nameOf(await credentials.get()), 'A');
      await fail('the helper is gone');
      clock.advance(1000);
    }
    assert.equal(calls(), 1 + 3);
    const validUntil = new Date(endMs).toISOString();
    assert.deepEqual(told, [`no AWS credentials: the helper is gone, valid until ${validUntil}`]);
    clock.advance(5 * MINUTE_MS);
    const late = assert.rejects(credentials.get(), /^Error: no AWS credentials: the helper is gone$/);
    await fail('the helper is gone');
    await late;
  });

  it('that are missing are told once, not asked for at each call, and come back by themselves', async () => {
    const { credentials, clock, answer, fail, calls, told } = withSource();
    const first = assert.rejects(credentials.get(), /no AWS credentials: nothing configured/);
    await fail('nothing configured');
    await first;
    for (let call = 0; call < 5; call++) await assert.rejects(credentials.get(), /nothing configured/);
    assert.equal(calls(), 1);
    clock.advance(10_000);
    const second = credentials.get();
    await answer(key('A'));
    assert.equal(nameOf(await second), 'A');
    assert.deepEqual(told, ['no AWS credentials: nothing configured', 'renewed']);
  });

  it('without an end are read again every five minutes', async () => {
    const { credentials, clock, answer, calls } = withSource();
    void credentials.get();
    await answer(key('A'));
    clock.advance(5 * MINUTE_MS);
    assert.equal(nameOf(await credentials.get()), 'A');
    await answer(key('B'));
    assert.equal(nameOf(await credentials.get()), 'B');
    assert.equal(calls(), 2);
  });

  it('that have expired when they come are none', async () => {
    const { credentials, clock, answer } = withSource();
    const waiting = assert.rejects(credentials.get(), /got AWS credentials that expired at \d{4}-/);
    await answer(key('A', clock.epochMs() - 1));
    await waiting;
  });

  it('are asked for anew when the one who has them hangs', async () => {
    const { credentials, clock, answer, calls } = withSource();
    void credentials.get();
    clock.advance(29_999);
    void credentials.get();
    assert.equal(calls(), 1);
    clock.advance(1);
    const waiting = credentials.get();
    assert.equal(calls(), 2);
    await answer(key('A'));
    assert.equal(nameOf(await waiting), 'A');
  });
});

function key(name: string, expiresAtMs?: number): Identity {
  const identity = { accessKeyId: name, secretAccessKey: 'secret' };
  return expiresAtMs === undefined ? identity : { ...identity, expiration: new Date(expiresAtMs) };
}

function nameOf({ accessKeyId }: Identity): string {
  return accessKeyId;
}

/** Credentials whose source answers when the test says so: the latest attempt first. */
function withSource() {
  const clock = new HandClock();
  const told: string[] = [];
  let calls = 0;
  const attempts: PromiseWithResolvers<Identity>[] = [];
  const load = () => {
    calls++;
    const attempt = Promise.withResolvers<Identity>();
    attempts.push(attempt);
    return attempt.promise;
  };
  const ends: (number | undefined)[] = [];
  const credentials = new Credentials(load, clock, {
    got: (expiresAtMs) => void ends.push(expiresAtMs),
    failed: (error, validUntil) =>
      void told.push(validUntil === undefined ? error : `${error}, valid until ${validUntil.toISOString()}`),
    renewed: () => void told.push('renewed'),
  });
  return {
    credentials,
    clock,
    told,
    ends,
    calls: () => calls,
    async answer(identity: Identity) {
      attempts.pop()?.resolve(identity);
      await settled();
    },
    async fail(message: string) {
      attempts.pop()?.reject(new Error(message));
      await settled();
    },
  };
}

/** Everything that has been resolved has been taken notice of. */
async function settled(): Promise<void> {
  await new Promise(setImmediate);
}
