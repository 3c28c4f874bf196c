import { asReason } from '../../blocklist/reason.ts';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { passesIn } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedItem, FeedLine } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { readByLine } from './lines.ts';
import { subjectsOf } from './subjects.ts';

/** What `ipset save NAME` prints: `create NAME TYPE …`, then `add NAME ENTRY` with a timeout and a comment. */
export const IPSET_SAVE: FeedFormat = {
  unit: 'line',
  isUnmistakable: true,
  matches: ({ firstLine }) => CREATE.test(firstLine) || ADD.test(firstLine),
  read: readIpset,
};

const CREATE = /^create (\S+) (hash|bitmap|list):/;
const ADD = /^add (\S+) (\S+)((?: .*)?)$/;

function readIpset({ bytes, name, nowMs }: FeedSource): AsyncIterable<FeedLine> {
  let only: string | undefined;
  return readByLine(bytes, (text) => {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) return [];
    const set = (CREATE.exec(line) ?? ADD.exec(line))?.[1];
    if (set === undefined) throw new InvalidLineError('is no line of ipset save');
    only ??= set;
    if (set !== only)
      throw new CliError(
        EXIT.failed,
        `${name} has the sets ${printable(only)} and ${printable(set)}: save one, with ipset save ${printable(only)}`,
      );
    if (passesIn(set))
      throw new InvalidLineError(`the name of the set, ${printable(set)}, says that it is not blocked`, '');
    return CREATE.test(line) ? [] : [itemOf(line, nowMs)];
  });
}

function itemOf(line: string, nowMs: number): FeedItem {
  const [, , entry = '', options = ''] = ADD.exec(line) ?? [];
  const subjects = subjectsOf(entry, 'ip');
  const comment = / comment "([^"]*)"/.exec(options)?.[1] ?? '';
  const flags = options.replace(/ comment "[^"]*"/, '');
  if (/ nomatch\b/.test(flags))
    throw new InvalidLineError(
      `"${printable(entry)}" is exempt from its set (nomatch)`,
      subjects.length === 1 ? subjects[0] : '',
    );
  const seconds = Number(/ timeout (\d{1,10})\b/.exec(flags)?.[1] ?? 0); // 0 is none
  return {
    subjects,
    ...(comment !== '' && { note: asReason(comment) }),
    ...(seconds > 0 && { expiresAt: Math.floor(nowMs / 1000) + seconds }),
  };
}
