import stringWidth from 'string-width';
import { escapeInvisible } from '../../contract/printable.ts';

/** A cell that is styled on a terminal, and plain text elsewhere. */
export interface Marked {
  readonly text: string;
  readonly mark: 'heading' | 'good' | 'bad' | 'quiet';
}
export type Cell = string | Marked;

/** Between two columns. */
export const GAP = '  ';
/** A column that is cut keeps so much. */
const LEAST = 8;

export function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

/** How wide a terminal draws a cell. */
export function widthOf(cell: Cell = ''): number {
  return stringWidth(escapeInvisible(textOf(cell)));
}

export function widthsOf(lines: readonly (readonly Cell[])[]): number[] {
  const columns = Math.max(0, ...lines.map(({ length }) => length));
  return Array.from({ length: columns }, (_, column) => Math.max(...lines.map((line) => widthOf(line[column]))));
}

/**
 * The lines of a table, heading first, for a terminal of so many columns: if they are too wide, columns that are empty are
 * left out, then the widest ones are cut, the first one last.
 */
export function fitted(lines: readonly (readonly Cell[])[], columns: number): readonly (readonly Cell[])[] {
  if (totalOf(widthsOf(lines)) <= columns) return lines;
  const [, ...rows] = widthsOf(lines.slice(1)).entries();
  const empty = new Set(rows.filter(([, width]) => width === 0).map(([column]) => column));
  const full = lines.map((line) => line.filter((_, column) => !empty.has(column)));
  const widths = cutWidths(widthsOf(full), columns);
  return full.map((line) => line.map((cell, column) => cutCell(cell, widths[column] ?? 0)));
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}

function cutWidths(widths: readonly number[], columns: number): number[] {
  const left = [...widths];
  for (let over = totalOf(left) - columns; over > 0; over--) {
    const others = left.slice(1).some((width) => width > LEAST);
    const widest = Math.max(...(others ? left.slice(1) : left));
    if (widest <= LEAST) break;
    const column = left.lastIndexOf(widest);
    left[column] = widest - 1;
  }
  return left;
}

function cutCell(cell: Cell, width: number): Cell {
  return typeof cell === 'string' ? cut(cell, width) : { ...cell, text: cut(cell.text, width) };
}

/** The text in so many columns, with a sign that something is missing. */
export function cut(whole: string, width: number): string {
  if (widthOf(whole) <= width) return whole;
  let text = '';
  for (const character of escapeInvisible(whole)) {
    if (stringWidth(text + character) >= width) break;
    text += character;
  }
  return `${text}…`;
}
