import { isAction } from '../../contract/actions.ts';
import { formatNetwork, masked, parseNetwork } from '../../contract/address.ts';
import { printable } from '../../contract/printable.ts';
import { isAddress, isFalse, isNothing, meaningOfWord } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { InvalidLineError, misread, oneLine, subjectOf } from './invalid-line.ts';
import { readByLine } from './lines.ts';
import { isWholeLine, withoutComment } from './plain.ts';

/**
 * ACL files have a pattern per line, map files a key, a blank and a value. A value that is an action is the entry's action,
 * any other its reason. HAProxy has comments only on lines of their own; one after a value becomes the note.
 */
export const HAPROXY: FeedFormat = {
  unit: 'line',
  extensions: ['acl', 'map'],
  isByExtension: true,
  matches: ({ shape, firstLine }) => shape === 'lines' && isAction(/^\S+\s+(\S+)$/.exec(firstLine)?.[1]),
  read: readHaproxy,
};

function readHaproxy({ bytes, kind }: FeedSource): AsyncIterable<FeedLine> {
  return readByLine(bytes, (text) => {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) return [];
    try {
      return [entryOf(line, kind)];
    } catch (error) {
      throw misread(error, line);
    }
  });
}

function entryOf(line: string, kind: string): FeedEntry {
  if (isWholeLine('', kind)) return { subject: wholeSubject(line, kind) };
  const { data, comment } = withoutComment(line, kind);
  const [, key = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(data) ?? [];
  const subject = subjectOf(key, kind);
  const note = comment === '' ? {} : { note: comment };
  if (value === '') return { subject, ...note };
  if (isAction(value)) return { subject, action: value, ...note };
  if (isWholeLine(key, kind))
    throw new InvalidLineError(`"${printable(key)}" may continue after its space: a map key cannot contain spaces`);
  if (COMMENT.test(value)) return { subject, note: oneLine(value.replace(COMMENT, '')) };
  refuseMeaning(value, key, subject);
  return { subject, reason: oneLine(value), ...note };
}

/** The subject of a line of a list of this kind; throws for a line of a map that `export` wrote. */
function wholeSubject(line: string, kind: string): string {
  const [, last = ''] = /\s(\S+)$/.exec(line) ?? [];
  if (isAction(last) && isWholeLine(line, 'ip'))
    throw new InvalidLineError(
      `"${printable(line)}" ends with an action, but the whole line is the value: remove the action`,
    );
  return subjectOf(line, kind);
}

/** Other beginnings of comments. */
const COMMENT = /^(\/\/|\/\*|--)\s*/;

/** Throws for a value that changes the meaning of the key: a mask, the end of a range, a flag. */
function refuseMeaning(value: string, key: string, subject: string): void {
  const [first = ''] = value.replace(/^[-–\s]+/, '').split(/\s/);
  if (isAddress(first) || isLength(first, key))
    throw new InvalidLineError(
      `"${printable(value)}" after ${printable(key)} can be a mask or the end of a range: write a network`,
    );
  const meaning = isFalse(value) && !isNothing(value) ? 'exempt' : meaningOfWord(value);
  if (meaning !== undefined)
    throw new InvalidLineError(`"${printable(value)}" after ${printable(key)} exempts it from blocking`, subject);
}

/** Whether a number is a prefix length rather than a count. */
function isLength(text: string, key: string): boolean {
  if (!/^\/?\d{1,3}$/.test(text) || !isAddress(key)) return false;
  const network = parseNetwork(`${key}/${text.replace('/', '')}`);
  if (network === undefined || network.prefix === network.bytes.length * 8) return false;
  return formatNetwork(masked(network.bytes, network.prefix)) === formatNetwork(network);
}
