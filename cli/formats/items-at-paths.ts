import { meaningOf } from './extra-field-meaning.ts';
import type { FeedSource } from './feed-format.ts';
import { type FeedItem, type FeedRecord, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { formatJsonPath, type JsonPath, type Located, valuesAt } from './json-path.ts';
import { itemOfRecord } from './record.ts';
import { subjectsOf } from './subjects.ts';

/** The values at the paths of `--field`. Throws if the document does not have one of the paths. */
export function locatedAt(document: unknown, paths: readonly JsonPath[]): readonly Located[] {
  return paths.flatMap((path) => {
    const found = valuesAt(document, path);
    if (found === undefined) throw new InvalidLineError(`has nothing at ${formatJsonPath(path)}`);
    return found.filter(({ value }) => value !== null && value !== undefined);
  });
}

/** The item of one value: a field of an object is read with the fields beside it. */
export function itemOfLocated({ value, record, name }: Located, source: FeedSource): FeedItem {
  if (record !== undefined) return itemOfRecord(record, { ...source, subjectField: name });
  if (typeof value === 'string' || Number.isSafeInteger(value))
    return { subjects: subjectsOf(String(value).trim(), source.kind) };
  throw new InvalidLineError('is not text');
}

export function itemsAtPaths(document: unknown, paths: readonly JsonPath[], source: FeedSource): readonly FeedItem[] {
  try {
    const located = locatedAt(document, paths);
    checkAround(located, source);
    return located.map((one) => itemOfLocated(one, source));
  } catch (error) {
    throw isRecord(document) ? source.fields.misread(error, source.fields.of(document), []) : error;
  }
}

/** Throws if an object around the values says something about them; its other objects are about others. */
export function checkAround(located: readonly Located[], { fields, paths = [] }: FeedSource): void {
  for (const record of new Set(located.flatMap(({ around }) => around)))
    fields.checkAround(ofItems(record), paths.flat());
}

/** The fields that say something about the items: of lists and objects, only what may be exempt from them. */
function ofItems(record: FeedRecord): FeedRecord {
  const fields = Object.entries(record).filter(
    ([name, value]) => typeof value !== 'object' || meaningOf(name, true, '') === 'exempt',
  );
  return Object.fromEntries(fields);
}
