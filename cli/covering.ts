import { candidates, type Subject } from '../contract/subject.ts';
import type { Item, Store } from '../functions/blocklist/store.ts';

/** Every item, in whatever list, under which something can stand for all of this subject; most specific first. */
export async function itemsCovering(subject: Subject, store: Pick<Store, 'entriesOfSubject'>): Promise<Item[]> {
  const found = await Promise.all(candidates(subject).map((text) => collected(store.entriesOfSubject(text))));
  return found.flat();
}

async function collected(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
