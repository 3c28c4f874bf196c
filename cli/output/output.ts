import { once } from 'node:events';
import { styleText } from 'node:util';
import { escapeInvisible } from '../../contract/printable.ts';
import { type Cell, fitted, GAP, type Marked, textOf, widthOf, widthsOf } from './fit.ts';
import { jsonText } from './json-text.ts';
import { withIsoTimes } from './json-times.ts';

export type { Cell } from './fit.ts';

const STYLES = { heading: 'bold', good: 'green', bad: 'red', quiet: 'gray' } as const satisfies Record<
  Marked['mark'],
  string
>;

/** Writes one line, escaped, and waits for a slow reader. */
export async function printLine(text: string): Promise<void> {
  await write(`${escapeInvisible(text)}\n`);
}

/** Writes one row in columns of these widths. */
export async function printRow(cells: readonly Cell[], widths: readonly number[] = []): Promise<void> {
  await write(`${aligned(cells, widths)}\n`);
}

/** Writes rows under a heading in columns as wide as their widest cell, cut where a terminal is narrower. */
export async function printTable(heading: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void> {
  await write(`${table(heading, rows, terminalColumns())}\n`);
}

/** Writes trusted text as it is; `handleOutputErrors` handles write errors. */
export async function write(text: string): Promise<void> {
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
  process.stderr.write(`${escapeInvisible(text)}\n`);
}

/** Prints a warning to standard error. */
export function warn(text: string): void {
  process.stderr.write(`haverdict: warning: ${escapeInvisible(text)}\n`);
}

/** Rows under a heading in columns as wide as their widest cell, within so many columns of a terminal. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns = Number.POSITIVE_INFINITY,
): string {
  const lines = fitted([headingOf(heading), ...rows], columns);
  const widths = widthsOf(lines);
  return lines.map((line) => aligned(line, widths)).join('\n');
}

/** How wide the terminal is; undefined elsewhere, where programs read whole lines. */
export function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

export function headingOf(names: readonly string[]): Cell[] {
  return names.map((text) => ({ text, mark: 'heading' }));
}

/** One row in columns of these widths; a longer cell pushes the others aside. */
export function aligned(cells: readonly Cell[], widths: readonly number[]): string {
  const last = cells.findLastIndex((cell) => textOf(cell) !== '');
  return cells
    .slice(0, last + 1)
    .map((cell, column) => {
      const padding = column === last ? 0 : Math.max(0, (widths[column] ?? 0) - widthOf(cell));
      return marked(cell) + ' '.repeat(padding);
    })
    .join(GAP);
}

/** Whether to use colour: only on a terminal, never with NO_COLOR (no-color.org); FORCE_COLOR is ignored. */
export function isColoured(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

function marked(cell: Cell): string {
  const text = escapeInvisible(textOf(cell));
  if (typeof cell === 'string' || !isColoured(process.stdout, process.env)) return text;
  return styleText(STYLES[cell.mark], text, { validateStream: false });
}
