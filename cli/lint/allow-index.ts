import { isExpired, parseEntry, type StoredEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { isPermitted, type ListActions } from '../../contract/permitted-actions.ts';
import { lookupKeys, parseSubject } from '../../contract/subject.ts';
import type { Finding } from './finding.ts';

/** Allows are few; further ones are not compared, which `lint` reports. */
export const MAX_ALLOWS = 100_000;

/**
 * All valid allows, to find the entries that they override. They are read before the first entry is compared: looking up the
 * up to 50 networks around each entry would cost more than keeping all entries in a file meanwhile.
 */
export class AllowIndex {
  readonly #listOf = new Map<string, string>();
  #all = true;

  static async in(items: AsyncIterable<Item>, listActions: ListActions, nowSeconds: number): Promise<AllowIndex> {
    const allows = new AllowIndex();
    for await (const item of items) {
      if (item.action !== 'allow') continue;
      const parsed = parseEntry(item);
      if ('problem' in parsed || isExpired(parsed.entry, nowSeconds)) continue;
      if (isPermitted(listActions, parsed.entry)) allows.#add(parsed.entry);
    }
    return allows;
  }

  /** False if there were more allows than MAX_ALLOWS. */
  get complete(): boolean {
    return this.#all;
  }

  /** The finding about an entry that an allow overrides. */
  over({ subject, list, action }: StoredEntry): Finding | undefined {
    if (action === 'allow' || action === 'log') return undefined;
    const covering = lookupKeys(parseSubject(subject)).find((text) => this.#listOf.has(text));
    if (covering === undefined) return undefined;
    const problem = `has no effect where list ${this.#listOf.get(covering)} is looked up too: it allows ${covering}`;
    return { id: 'shadowed', subject, list, problem };
  }

  #add({ subject, list }: StoredEntry): void {
    if (this.#listOf.size < MAX_ALLOWS) this.#listOf.set(subject, list);
    else this.#all = false;
  }
}
