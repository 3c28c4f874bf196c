import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const CALL = /\b(?:log|#log)\.(trace|debug|info|warn|error|fatal)\(/g;
const LITERAL = /'((?:[^'\\]|\\.)*)'/g;

export interface LogCall {
  readonly file: string;
  readonly level: string;
  /** The texts that its last argument can be; none if that is not written out there. */
  readonly messages: readonly string[];
}

/** Every call of a log in the agent's sources. */
export function logCalls(): LogCall[] {
  return globSync('agent/**/*.ts', { cwd: root }).flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return [...source.matchAll(CALL)].map(({ index, 0: { length }, 1: level = '' }) => {
      const last = lastArgument(source, index + length);
      return { file, level, messages: [...last.matchAll(LITERAL)].map(([, text = '']) => text) };
    });
  });
}

/** The source of the last argument of a call whose arguments begin here. */
function lastArgument(source: string, begin: number): string {
  let [depth, from, previous, at] = [0, begin, '', begin];
  for (; depth >= 0 && at < source.length; at++) {
    const character = source[at] ?? '';
    if (`'"\``.includes(character)) at = endOfText(source, at);
    else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    else if (character === ',' && depth === 0) [previous, from] = [source.slice(from, at), at + 1];
  }
  const last = source.slice(from, at - 1);
  return last.trim() === '' ? previous : last; // a comma may end the list
}

function endOfText(source: string, begin: number): number {
  let at = begin + 1;
  while (at < source.length && source[at] !== source[begin]) at += source[at] === '\\' ? 2 : 1;
  return at;
}
