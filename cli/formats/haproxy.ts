import { ACTIONS, type Action } from '../../contract/check.ts';
import { readByLine } from './by-line.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { oneLine, subjectOf } from './unreadable.ts';

/**
 * ACL files have a pattern a line, map files a key, a blank and a value. As HAProxy reads them, a comment is a line that
 * begins with `#`. A value that is an action is the entry's action, any other its reason.
 */
export function readHaproxy(bytes: AsyncIterable<Uint8Array>, kind: string): AsyncIterable<FeedLine> {
  return readByLine(bytes, (text) => {
    const line = text.trim();
    return line === '' || line.startsWith('#') ? [] : [entryOf(line, kind)];
  });
}

/** The kinds whose values have blanks: no key of a map can be one, so the whole line is a pattern. */
const HAS_BLANKS = /^(ua$|header\.|cookie\.)/;

function entryOf(line: string, kind: string): FeedEntry {
  const [, key = '', value = ''] = (HAS_BLANKS.test(kind) ? /^(.*)$/s : /^(\S+)\s*(.*)$/s).exec(line) ?? [];
  const subject = subjectOf(key, kind);
  if (value === '') return { subject };
  return isAction(value) ? { subject, action: value } : { subject, reason: oneLine(value) };
}

function isAction(text: string): text is Action {
  return (ACTIONS as readonly string[]).includes(text);
}
