import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wordsOf } from '../../../haproxy/parse/words.ts';

const CASES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['', []],
  ['   \t ', []],
  ['# all of it', []],
  ['bind :80 # the rest', ['bind', ':80']],
  ['bind :80#the rest', ['bind', ':80']],
  ['a\tb  c', ['a', 'b', 'c']],
  ['log-format "%T # %s"', ['log-format', '%T # %s']],
  ["log-format '%T \\ %s'", ['log-format', '%T \\ %s']],
  ['path a\\ b\\#c\\"d\\\\e', ['path', 'a b#c"d\\e']],
  ['x "a"\'b\'c', ['x', 'abc']],
  ['x ""', ['x', '']],
  ['x "it\'s"', ['x', "it's"]],
  ['x \\x41\\n', ['x', 'A\n']],
  ['x "\\$HOME" "$HOME"', ['x', '$HOME', '$HOME']],
  ['x \\d+', ['x', '\\d+']],
  ['x \\', ['x', '\\']],
  ['if { path /a } !{ src 192.0.2.1 }', ['if', '{', 'path', '/a', '}', '!{', 'src', '192.0.2.1', '}']],
];

describe('a line of haproxy.cfg', () => {
  for (const [line, words] of CASES)
    it(`is ${words.length} words: ${JSON.stringify(line)}`, () => assert.deepEqual(wordsOf(line), words));
});
