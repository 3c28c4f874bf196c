import { asReason } from '../../blocklist/reason.ts';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { passesIn } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedItem, type FeedLine, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { readItems, unexpectedJson } from './json.ts';
import { readingDocument } from './json-document.ts';
import { subjectsOf } from './subjects.ts';

/** A set of nftables, as `nft -j list set` prints it. */
export const NFTABLES: FeedFormat = {
  unit: 'item',
  matches: ({ hasField }) => hasField('nftables'),
  read: readingDocument(readNftables),
};

function* readNftables(document: unknown, { name, nowMs }: FeedSource): Generator<FeedLine> {
  const { elem: elements = [], name: of } = onlySet(document, name);
  if (passesIn(String(of)))
    throw new CliError(
      EXIT.failed,
      `${name} has the set ${printable(String(of))}, whose name says that it is not blocked`,
    );
  if (!Array.isArray(elements)) throw unexpectedJson(name, 'a set of nftables with elem');
  yield* readItems(elements, (element) => itemOf(element, nowMs));
}

function onlySet(document: unknown, name: string): Readonly<Record<string, unknown>> {
  const objects: unknown = isRecord(document) ? document.nftables : undefined;
  const sets = (Array.isArray(objects) ? objects : []).flatMap((one) =>
    isRecord(one) && isRecord(one.set) ? [one.set] : [],
  );
  const [first, second] = sets;
  if (first === undefined) throw unexpectedJson(name, 'a set of nftables: nft -j list set FAMILY TABLE SET prints one');
  if (second === undefined) return first;
  const names = [first, second].map((set) => printable(String(set.name)));
  throw new CliError(
    EXIT.failed,
    `${name} has the sets ${names.join(' and ')}: print one, with nft -j list set FAMILY TABLE ${names[0]}`,
  );
}

/** An element: a value, or one in `elem` with its end and comment. */
function itemOf(element: unknown, nowMs: number): FeedItem {
  const { val, expires, timeout, comment } =
    isRecord(element) && isRecord(element.elem) ? element.elem : { val: element };
  const seconds = expires ?? timeout;
  return {
    subjects: subjectsOf(textOf(val), 'ip'),
    ...(typeof comment === 'string' && comment !== '' && { note: asReason(comment) }),
    ...(Number.isSafeInteger(seconds) && { expiresAt: Math.floor(nowMs / 1000) + Number(seconds) }),
  };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (isRecord(value) && isRecord(value.prefix)) return `${value.prefix.addr}/${value.prefix.len}`;
  if (isRecord(value) && Array.isArray(value.range) && value.range.length === 2) return value.range.join('-');
  throw new InvalidLineError('is neither an address, a prefix nor a range');
}
