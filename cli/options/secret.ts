import { text as wholeText } from 'node:stream/consumers';
import { MAX_SUBJECT_BYTES } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import { warn } from '../output/output.ts';

const FROM_INPUT = 'key:-';
const DIGEST = /^key:sha256:/i;

/**
 * What was typed, with the secret of `key:-` read from standard input: one line, so that `echo` can bring it. A secret on
 * the command line stands in the shell's history and in the list of processes, which its owner should know.
 */
export async function withSecrets(texts: readonly string[]): Promise<string[]> {
  if (texts.some((text) => /^key:./i.test(text) && !DIGEST.test(text) && text !== FROM_INPUT))
    warn('a secret on the command line stays in the shell history: pass it on standard input with key:-');
  if (!texts.includes(FROM_INPUT)) return [...texts];
  const secret = `key:${await readSecret()}`;
  return texts.map((text) => (text === FROM_INPUT ? secret : text));
}

async function readSecret(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('secret (one line, then Ctrl-D; visible as you type): ');
  const line = (await wholeText(process.stdin)).replace(/\r?\n$/, '');
  if (line === '' || line.includes('\n')) throw usageError('key:- reads one line from standard input, the secret');
  if (line.length > MAX_SUBJECT_BYTES)
    throw usageError(`the secret has ${line.length} characters, the limit is ${MAX_SUBJECT_BYTES}`);
  return line;
}
