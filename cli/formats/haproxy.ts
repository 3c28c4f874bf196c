import { asReason } from '../../blocklist/reason.ts';
import { isAction } from '../../contract/actions.ts';
import { printable } from '../../contract/printable.ts';
import { refuseValue } from './after-address.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedItem, FeedLine } from './feed-line.ts';
import { InvalidLineError, misread } from './invalid-line.ts';
import { readByLine } from './lines.ts';
import { isWholeLine, withoutComment } from './plain.ts';
import { subjectOf, subjectsOf } from './subjects.ts';

/**
 * ACL files have a pattern per line, map files a key, a blank and a value. A value that is an action is the entry's action,
 * any other its reason. What the runtime API's `show acl` and `show map` print is the same. HAProxy has comments only on lines of their own; one after a value becomes the note.
 */
export const HAPROXY: FeedFormat = {
  unit: 'line',
  extensions: ['acl', 'map'],
  isByExtension: true,
  matches: ({ shape, firstLine }) =>
    shape === 'lines' && (POINTER.test(firstLine) || isAction(/^\S+\s+(\S+)$/.exec(firstLine)?.[1])),
  read: readHaproxy,
};

/** `show acl` and `show map` print where each entry is in memory. */
const POINTER = /^0x[0-9a-f]{4,16} (?=\S)/;

function readHaproxy({ bytes, kind }: FeedSource): AsyncIterable<FeedLine> {
  return readByLine(bytes, (text) => {
    const line = text.trim().replace(POINTER, '');
    if (line === '' || line.startsWith('#')) return [];
    try {
      return [itemOf(line, kind)];
    } catch (error) {
      throw misread(error, line);
    }
  });
}

function itemOf(line: string, kind: string): FeedItem {
  if (isWholeLine('', kind)) return { subjects: [wholeSubject(line, kind)] };
  const { data, comment } = withoutComment(line, kind);
  const [, key = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(data) ?? [];
  const subjects = subjectsOf(key, kind);
  const note = comment === '' ? {} : { note: comment };
  if (value === '') return { subjects, ...note };
  if (isAction(value)) return { subjects, action: value, ...note };
  if (isWholeLine(key, kind))
    throw new InvalidLineError(`"${printable(key)}" may continue after its space: a map key cannot contain spaces`);
  if (COMMENT.test(value)) return { subjects, note: asReason(value.replace(COMMENT, '')) };
  refuseValue(value, key, subjects);
  return { subjects, reason: asReason(value), ...note };
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
