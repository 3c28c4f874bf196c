import { asReason } from '../../blocklist/reason.ts';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedItem, type FeedLine, type FeedRecord, isRecord } from './feed-line.ts';
import { feedLines, InvalidLineError } from './invalid-line.ts';
import { checkAround, itemOfLocated, locatedAt } from './items-at-paths.ts';
import { readingDocument } from './json-document.ts';
import { ITEMS, type Located } from './json-path.ts';
import { fieldOption, likelyPaths } from './likely-subject.ts';
import { itemOfValue } from './ndjson.ts';
import type { RecordOptions } from './record-subject.ts';
import { subjectsOf } from './subjects.ts';

/** An array of strings or objects, or the list items of Cloudflare's API. */
export const JSON_DOCUMENT: FeedFormat = {
  unit: 'item',
  matches: ({ hasField }) => hasField('result'),
  defaultFor: ['object', 'array'],
  read: readingDocument(readJson),
};

function* readJson(document: unknown, source: FeedSource): Generator<FeedLine> {
  if (source.paths !== undefined)
    yield* readItems(
      locatedIn(document, source),
      (item) => itemOfLocated(item, source),
      ({ record, value }) => record ?? value,
    );
  else if (Array.isArray(document)) yield* readItems(document, (item) => itemOfValue(item, source, [ITEMS]));
  else if (isRecord(document) && Array.isArray(document.result)) {
    rejectEnvelope(document, ['result'], source);
    if (hasNextPage(document)) source.remarks.push('this is one page of a Cloudflare list: there are more');
    yield* readItems(document.result, (item) => cloudflareEntry(item, source));
  } else throw withoutItems(document, source);
}

/** The items of a document, counted from 1. */
export function* readItems<Item>(
  items: readonly Item[],
  read: (item: Item) => FeedItem | undefined,
  shown: (item: Item) => unknown = (item) => item,
): Generator<FeedLine> {
  for (const [index, item] of items.entries())
    yield* feedLines(
      index + 1,
      () => textOf(shown(item)),
      () => {
        const entry = read(item);
        return entry === undefined ? [] : [entry];
      },
    );
}

function locatedIn(document: unknown, source: FeedSource): readonly Located[] {
  try {
    const located = locatedAt(document, source.paths ?? []);
    checkAround(located, source);
    return located;
  } catch (error) {
    if (!(error instanceof InvalidLineError)) throw error;
    throw new CliError(EXIT.failed, `${source.name} ${error.message}${hintFor(document, source)}`);
  }
}

/** Throws if a field of the enclosing object changes the meaning of all items; `items` are the fields with them. */
export function rejectEnvelope(document: FeedRecord, items: readonly string[], { name, fields }: FeedSource): void {
  try {
    fields.checkAround(document, items);
  } catch (error) {
    if (!(error instanceof InvalidLineError)) throw error;
    throw new CliError(EXIT.failed, `${name}: ${error.message}`);
  }
}

export function unexpectedJson(name: string, expected: string): CliError {
  return new CliError(EXIT.failed, `${name} is JSON, but not ${expected}`);
}

/** The error for a document of unknown form: says where it has subjects, or what it has at all. */
function withoutItems(document: unknown, source: FeedSource): CliError {
  const hint = hintFor(document, source);
  if (hint !== '') return new CliError(EXIT.failed, `${source.name} is JSON of another form${hint}`);
  const names = isRecord(document) ? printable(Object.keys(document).join(', '), 120) : '';
  return unexpectedJson(
    source.name,
    `an array of strings or objects${names === '' ? '' : `: its fields are ${names}`}`,
  );
}

function hintFor(document: unknown, { kind }: FeedSource): string {
  const paths = likelyPaths(document, kind);
  return paths.length === 0 ? '' : `: it has subjects at ${paths.join(', ')}, which ${fieldOption(paths)} reads`;
}

function cloudflareEntry(given: unknown, options: RecordOptions): FeedItem {
  if (!isRecord(given)) return itemOfValue(given, options);
  const { fields } = options;
  const { id: _id, created_on: _created, modified_on: _modified, ...item } = fields.of(given);
  const note = typeof item.comment === 'string' && item.comment !== '' ? { note: asReason(item.comment) } : {};
  const subjects = cloudflareSubjects(item);
  const { comment: _comment, ...rest } = item;
  if (subjects === undefined) return { ...itemOfValue(rest, options, ['result', ITEMS]), ...note };
  fields.check(rest, (name) => name === 'asn' || name === 'hostname', subjects);
  if (isRecord(rest.hostname)) fields.check(rest.hostname, (name) => name === 'url_hostname', subjects);
  return { subjects, ...note };
}

/** The subjects of an item that is not an address. */
function cloudflareSubjects({ ip, asn, hostname }: FeedRecord): readonly string[] | undefined {
  if (ip !== undefined) return undefined;
  if (typeof asn === 'number') return subjectsOf(`asn:${asn}`, 'asn');
  const host = isRecord(hostname) ? hostname.url_hostname : undefined;
  return typeof host === 'string' ? subjectsOf(`host:${host}`, 'host') : undefined;
}

function hasNextPage({ result_info: info }: FeedRecord): boolean {
  const cursors = isRecord(info) && isRecord(info.cursors) ? info.cursors : {};
  return typeof cursors.after === 'string' && cursors.after !== '';
}

/** The text of an invalid item for messages. A deep one is not serialized, which would overflow the stack. */
function textOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const flat = Object.entries(item).map(([name, value]) => [name, typeof value === 'object' ? '…' : value]);
  return Array.isArray(item) ? '[…]' : JSON.stringify(Object.fromEntries(flat));
}
