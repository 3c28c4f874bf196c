import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setInterval as every } from 'node:timers/promises';
import { type Found, type Key, StoreError } from '../../blocklist/store.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { Asking, type Told } from '../support/asking.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { ipv4, type Pair, str } from '../support/spop/naive-codec.ts';
import { startStoreFunction } from '../support/table-function.ts';

const LISTS = ['manual', 'feed-1', 'feed-2', 'feed-3', 'feed-4'];
const NEWCOMERS = 120;
const DEEP_PER_SECOND = 100;
/** Long enough for a busy machine; who is starved by the flood is starved for all of it. */
const DEADLINE_MS = 1000;
/** What the stack lets a table read in a second, a key taking half a unit. */
const MAX_READ_UNITS = 2000;

/** Leaves unread what is past the units of a second, as DynamoDB does after its retries. */
class CappedStore extends MemoryStore {
  readonly keys = { ip: 0, path: 0 };
  #units = MAX_READ_UNITS;
  #atMs = performance.now();

  override async lookup(keys: readonly Key[]): Promise<Found> {
    const nowMs = performance.now();
    this.#units = Math.min(MAX_READ_UNITS, this.#units + ((nowMs - this.#atMs) / 1000) * MAX_READ_UNITS);
    this.#atMs = nowMs;
    const read = keys.slice(0, Math.floor(this.#units * 2));
    this.#units -= read.length / 2;
    for (const { subject } of keys) this.keys[subject.startsWith('ip:') ? 'ip' : 'path']++;
    const found = await super.lookup(read);
    const unread = keys.slice(read.length);
    if (unread.length === 0) return found;
    return { ...found, unread, throttles: 1, failure: new StoreError('throttled', { isThrottled: true }) };
  }
}

describe('a stranger who sends deep paths', () => {
  it(`lets none of ${NEWCOMERS} listed newcomers pass, by ${DEEP_PER_SECOND} requests a second`, async (t) => {
    const store = new CappedStore();
    for (let of = 0; of < NEWCOMERS; of++) store.type({ subject: `ip:10.0.0.${of}`, list: 'manual', action: 'deny' });
    const table = await startStoreFunction(store);
    t.after(() => table.close());
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-deep-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'agent.sock');
    const config = {
      ...{ listen: [{ unix: path }], backend: { url: table.url }, lists: LISTS, deadlineMs: DEADLINE_MS },
      messages: { m: { subjects: { ip: 'src', path: 'path' } } },
    };
    const agent = await startAgentProcess(config, folder);
    t.after(() => agent.kill('SIGKILL'));
    const [stranger, site] = await Promise.all([Asking.at(path), Asking.at(path)]);
    t.after(() => [stranger, site].forEach((asking) => void asking.close()));
    const asks = (of: number, at: string): Pair[] => [
      ['ip', ipv4(10, of < 0 ? 1 : 0, 0, Math.max(0, of))],
      ['path', str(at)],
    ];
    const startedMs = performance.now();
    let sent = 0;
    const flood = setInterval(() => {
      const due = Math.floor(((performance.now() - startedMs) / 1000) * DEEP_PER_SECOND);
      for (; sent < due; sent++) {
        const folders = Array.from({ length: 97 }, (_, level) => `/${level.toString(36)}${sent.toString(36)}`);
        stranger.send('m', asks(-1, folders.join('')));
      }
    }, 10);
    t.after(() => clearInterval(flood));
    const answers: Promise<Told>[] = [];
    for await (const _ of every(100)) {
      answers.push(site.ask('m', asks(answers.length, '/')));
      if (answers.length === NEWCOMERS) break;
    }
    const told = await Promise.all(answers);
    const seconds = (performance.now() - startedMs) / 1000;
    assert.deepEqual(
      told.filter(({ action }) => action !== 'deny'),
      [],
    );
    assert.ok(sent > DEEP_PER_SECOND * 10, 'it was a flood');
    assert.ok(store.keys.path > 1000 && store.keys.path <= 2000 * (seconds + 1) + 45, `${store.keys.path} keys`);
  });
});
