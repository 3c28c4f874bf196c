import { CliError, EXIT } from '../exit/cli-error.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedEntry, type FeedLine, type FeedRecord, isRecord } from './feed-line.ts';
import { feedLines, InvalidLineError, oneLine, subjectOf } from './invalid-line.ts';
import { readingDocument } from './json-document.ts';
import { entryOfValue } from './ndjson.ts';
import type { RecordOptions } from './record.ts';

/** An array of strings or objects, or the list items of Cloudflare's API. */
export const JSON_DOCUMENT: FeedFormat = {
  unit: 'item',
  matches: ({ hasField }) => hasField('result'),
  defaultFor: ['object', 'array'],
  read: readingDocument(readJson),
};

function* readJson(document: unknown, source: FeedSource): Generator<FeedLine> {
  if (Array.isArray(document)) yield* readItems(document, (item) => entryOfValue(item, source));
  else if (isRecord(document) && Array.isArray(document.result)) {
    rejectEnvelope(document, ['result'], source);
    if (hasNextPage(document)) source.remarks.push('this is one page of a Cloudflare list: there are more');
    yield* readItems(document.result, (item) => cloudflareEntry(item, source));
  } else throw unexpectedJson(source.name, 'an array of strings or objects');
}

/** The items of a document, counted from 1. */
export function* readItems(
  items: readonly unknown[],
  read: (item: unknown) => FeedEntry | undefined,
): Generator<FeedLine> {
  for (const [index, item] of items.entries())
    yield* feedLines(
      index + 1,
      () => textOf(item),
      () => {
        const entry = read(item);
        return entry === undefined ? [] : [entry];
      },
    );
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

function cloudflareEntry(given: unknown, options: RecordOptions): FeedEntry {
  if (!isRecord(given)) return entryOfValue(given, options);
  const { fields } = options;
  const { id: _id, created_on: _created, modified_on: _modified, ...item } = fields.of(given);
  const note = typeof item.comment === 'string' && item.comment !== '' ? { note: oneLine(item.comment) } : {};
  const subject = cloudflareSubject(item);
  const { comment: _comment, ...rest } = item;
  if (subject === undefined) return { ...entryOfValue(rest, options), ...note };
  fields.check(rest, (name) => name === 'asn' || name === 'hostname', subject);
  if (isRecord(rest.hostname)) fields.check(rest.hostname, (name) => name === 'url_hostname', subject);
  return { subject, ...note };
}

/** The subject of an item that is not an address. */
function cloudflareSubject({ ip, asn, hostname }: FeedRecord): string | undefined {
  if (ip !== undefined) return undefined;
  if (typeof asn === 'number') return subjectOf(`asn:${asn}`, 'asn');
  const host = isRecord(hostname) ? hostname.url_hostname : undefined;
  return typeof host === 'string' ? subjectOf(`host:${host}`, 'host') : undefined;
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
