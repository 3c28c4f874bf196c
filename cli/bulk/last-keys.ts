import type { Key } from '../../blocklist/store.ts';
import { keyName } from '../../blocklist/store.ts';

/**
 * More than twice what is in flight at a time: whatever was finished before the first of these, hundreds of them were begun
 * after it, on every shard of the stream. Shards keep their order, so that what has these has everything before them.
 */
const MAX_KEYS = 1000;

/** The keys that a run changed last. */
export class LastKeys {
  readonly #keys = new Map<string, Key>();

  add(keys: readonly Key[]): void {
    for (const { subject, list } of keys) {
      const name = keyName({ subject, list });
      this.#keys.delete(name);
      this.#keys.set(name, { subject, list });
    }
    for (const name of this.#keys.keys()) {
      if (this.#keys.size <= MAX_KEYS) return;
      this.#keys.delete(name);
    }
  }

  get all(): Key[] {
    return [...this.#keys.values()];
  }
}
