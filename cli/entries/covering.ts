import type { Item, Store } from '../../blocklist/store.ts';
import { candidates, type Subject } from '../../contract/subject.ts';

/** Every item, in whatever list, under which something can stand for all of this subject; most specific first. */
export async function itemsCovering(subject: Subject, store: Pick<Store, 'entriesOfSubject'>): Promise<Item[]> {
  const found = await Promise.all(candidates(subject).map((text) => Array.fromAsync(store.entriesOfSubject(text))));
  return found.flat();
}
