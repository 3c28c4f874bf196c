import { styleText } from 'node:util';
import { escapeInvisible } from '../../contract/printable.ts';
import { type Cell, fitted, GAP, type Marked, textOf, widthOf, widthsOf } from './fit.ts';
import { isColoured, terminalColumns, write } from './output.ts';

export type { Cell } from './fit.ts';

const STYLES = { heading: 'bold', good: 'green', bad: 'red', quiet: 'gray' } as const satisfies Record<
  Marked['mark'],
  string
>;

/** Writes one row in columns of these widths. */
export async function printRow(cells: readonly Cell[], widths: readonly number[] = []): Promise<void> {
  await write(`${aligned(cells, widths)}\n`);
}

/** Writes rows under a heading in columns as wide as their widest cell, cut where a terminal is narrower. */
export async function printTable(heading: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void> {
  await write(`${table(heading, rows, terminalColumns())}\n`);
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

function marked(cell: Cell): string {
  const text = escapeInvisible(textOf(cell));
  if (typeof cell === 'string' || !isColoured(process.stdout, process.env)) return text;
  return styleText(STYLES[cell.mark], text, { validateStream: false });
}
