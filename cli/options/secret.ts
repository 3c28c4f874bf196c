import { text as wholeText } from 'node:stream/consumers';
import { MAX_SUBJECT_BYTES } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import { warn } from '../output/output.ts';
import { standardInput } from '../output/streams.ts';

const FROM_INPUT = 'key:-';
const DIGEST = /^key:sha256:/i;

/**
 * Replaces `key:-` with a secret from standard input: one line, as from `echo`. Warns of a secret on the command line, which
 * is visible in the shell's history and in the process list.
 */
export async function withSecrets(texts: readonly string[]): Promise<string[]> {
  if (texts.some((text) => /^key:./i.test(text) && !DIGEST.test(text) && text !== FROM_INPUT))
    warn('a secret on the command line stays in the shell history: pass it on standard input with key:-');
  if (!texts.includes(FROM_INPUT)) return [...texts];
  const secret = `key:${await readSecret()}`;
  return texts.map((text) => (text === FROM_INPUT ? secret : text));
}

async function readSecret(): Promise<string> {
  const { bytes } = standardInput();
  if (bytes === process.stdin && process.stdin.isTTY)
    process.stderr.write('secret (one line, then Ctrl-D; visible as you type): ');
  const line = (await wholeText(bytes)).replace(/\r?\n$/, '');
  if (line === '' || line.includes('\n')) throw usageError('key:- reads one line from standard input, the secret');
  if (line.length > MAX_SUBJECT_BYTES)
    throw usageError(`the secret has ${line.length} characters, the limit is ${MAX_SUBJECT_BYTES}`);
  return line;
}
