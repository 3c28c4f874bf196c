import { createReadStream } from 'node:fs';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { MAX_LINE } from './haproxy-log.ts';

/** Calls `visit` for the start of each line; an iterator would be slow for millions of lines. Returns how many there are. */
export async function eachLine(file: string, visit: (line: string) => void): Promise<number> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let count = 0;
  let rest = '';
  try {
    for await (const chunk of input.setEncoding('latin1')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()?.slice(0, MAX_LINE) ?? '';
      for (const line of lines) visit(line);
      count += lines.length;
    }
  } catch (error) {
    throw new CliError(EXIT.failed, `${file}: ${(error as Error).message}`, { cause: error }); // streams fail with errors
  }
  if (rest === '') return count;
  visit(rest);
  return count + 1;
}
