import { CliError, EXIT } from '../cli-error.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { entryOfValue } from './ndjson.ts';
import { type FeedRecord, isRecord, type RecordOptions } from './record.ts';
import { feedLines, oneLine, subjectOf } from './unreadable.ts';

/** An array of strings or objects, or Cloudflare's answer about the items of a list. */
export function* readJson(
  document: unknown,
  name: string,
  options: RecordOptions,
  remarks: string[],
): Generator<FeedLine> {
  if (Array.isArray(document)) yield* readItems(document, (item) => entryOfValue(item, options));
  else if (isRecord(document) && Array.isArray(document.result)) {
    if (hasNextPage(document)) remarks.push('this is one page of a Cloudflare list: there are more');
    yield* readItems(document.result, (item) => cloudflareEntry(item, options));
  } else throw noList(name, 'an array of strings or objects');
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

export function noList(name: string, expected: string): CliError {
  return new CliError(EXIT.failed, `${name} is JSON, but not ${expected}`);
}

function cloudflareEntry(item: unknown, options: RecordOptions): FeedEntry {
  if (!isRecord(item)) return entryOfValue(item, options);
  const note = typeof item.comment === 'string' && item.comment !== '' ? { note: oneLine(item.comment) } : {};
  if (typeof item.asn === 'number') return { subject: subjectOf(`asn:${item.asn}`, 'asn'), ...note };
  const host = isRecord(item.hostname) ? item.hostname.url_hostname : undefined;
  if (typeof host === 'string') return { subject: subjectOf(`host:${host}`, 'host'), ...note };
  return { ...entryOfValue(item, options), ...note };
}

function hasNextPage({ result_info: info }: FeedRecord): boolean {
  const cursors = isRecord(info) && isRecord(info.cursors) ? info.cursors : {};
  return typeof cursors.after === 'string' && cursors.after !== '';
}

/** What to show of an item that could not be read; JSON of a deep one would be deeper than the stack. */
function textOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const flat = Object.entries(item).map(([name, value]) => [name, typeof value === 'object' ? '…' : value]);
  return Array.isArray(item) ? '[…]' : JSON.stringify(Object.fromEntries(flat));
}
