import type { StoredEntry } from '../../blocklist/entry.ts';
import type { EntryStore, Found, Item, Key } from '../../blocklist/store.ts';

/** An EntryStore in a Map, for tests that need many lookups or items that no tool would write. */
export class MemoryStore implements EntryStore {
  readonly #items = new Map<string, Item>();

  /** Puts an item there as a person might have typed it. */
  type(item: Item): void {
    this.#items.set(nameOf(String(item.subject), String(item.list)), item);
  }

  async lookup(keys: readonly Key[]): Promise<Found> {
    const names = new Set(keys.map((key) => nameOf(key.subject, key.list)));
    const items = [...names].map((name) => this.#items.get(name)).filter((item) => item !== undefined);
    return { items, unread: [], throttles: 0 };
  }

  async put(entry: StoredEntry): Promise<boolean> {
    const replaced = this.#items.has(nameOf(entry.subject, entry.list));
    this.type(entry);
    return replaced;
  }

  async remove(key: Key): Promise<boolean> {
    return this.#items.delete(nameOf(key.subject, key.list));
  }

  async *ofSubject(subject: string): AsyncGenerator<Item> {
    yield* this.#sorted('list').filter((item) => item.subject === subject);
  }

  async *ofList(list: string): AsyncGenerator<Item> {
    yield* this.#sorted('subject').filter((item) => item.list === list);
  }

  #sorted(by: 'subject' | 'list'): Item[] {
    return [...this.#items.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(String(a[by])), Buffer.from(String(b[by]))),
    );
  }
}

function nameOf(subject: string, list: string): string {
  return `${subject}\n${list}`;
}
