import { once } from 'node:events';
import { escapeInvisible } from '../../contract/printable.ts';
import { jsonText } from './json-text.ts';
import { withIsoTimes } from './json-times.ts';
import { ownStreams } from './streams.ts';

/** Writes one line, escaped, and waits for a slow reader. */
export async function printLine(text: string): Promise<void> {
  await write(`${escapeInvisible(text)}\n`);
}

/** Writes trusted text as it is; `handleOutputErrors` handles write errors. */
export async function write(text: string): Promise<void> {
  const own = ownStreams();
  if (own !== undefined) return own.print(text);
  if (!process.stdout.write(text)) await once(process.stdout, 'drain').catch(() => {});
}

export async function printJson(value: unknown): Promise<void> {
  await write(`${jsonText(withIsoTimes(value), 2)}\n`);
}

/** JSON on one line, for programs that read line by line. */
export async function printJsonLine(value: unknown): Promise<void> {
  await write(`${jsonText(withIsoTimes(value))}\n`);
}

/** Prints a line about invalid input to standard error. */
export function printError(text: string): void {
  complain(`${escapeInvisible(text)}\n`);
}

/** Prints a warning to standard error. */
export function warn(text: string): void {
  complain(`haverdict: warning: ${escapeInvisible(text)}\n`);
}

function complain(text: string): void {
  const own = ownStreams();
  if (own === undefined) process.stderr.write(text);
  else own.complain(text);
}

/** How wide the terminal is; undefined elsewhere, where programs read whole lines. */
export function terminalColumns(): number | undefined {
  return ownStreams() === undefined && process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Whether to use colour: only on a terminal, never with NO_COLOR (no-color.org); FORCE_COLOR is ignored. */
export function isColoured(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return ownStreams() === undefined && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
