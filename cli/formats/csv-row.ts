/** A cell as it was written: `""` is an empty text, blanks and nothing are no text (undefined). */
export type Cell = string | undefined;

/**
 * What spreadsheets take for a formula, in their own letters too; behind any number of apostrophes, so that what is put
 * before it can be told from what was there.
 */
const FORMULA = /^'*(?:[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/;

const CELL = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The cells of one record (RFC 4180), or undefined if its quotes are wrong. A quoted cell may have line ends in it. */
export function cellsOf(record: string, separator: string): Cell[] | undefined {
  const pattern = separator === ',' ? CELL : new RegExp(CELL.source.replaceAll(',', separator), 'y');
  const cells: Cell[] = [];
  for (let end = 0; ; ) {
    pattern.lastIndex = end;
    const match = pattern.exec(record);
    if (match === null) return undefined;
    const [whole, quoted, bare = '', closing] = match;
    cells.push(asData(quoted?.replaceAll('""', '"') ?? (bare.trim() || undefined)));
    end += whole.length;
    if (closing === '') return cells;
  }
}

/** Whether a quoted cell goes on after this line, and whether it began in one. Only at its beginning is a cell quoted. */
export function isOpenAfter(line: string, isOpenBefore: boolean): boolean {
  let isOpen = isOpenBefore;
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) {
    if (!isOpen) isOpen = at === 0 || CELL_ENDS.includes(line.charAt(at - 1));
    else if (line[at + 1] === '"') at++;
    else isOpen = false;
  }
  return isOpen;
}

/** What stands between cells, in one table or another. */
const CELL_ENDS = [',', ';', '\t'];

/**
 * One record without its line end. Quotes what needs it, and what a reader would take for nothing; what a spreadsheet
 * would take for a formula gets an apostrophe, which `cellsOf` takes off again.
 */
export function csvRow(cells: readonly Cell[]): string {
  return cells.map((cell) => (cell === undefined ? '' : quoted(asText(cell)))).join(',');
}

function asText(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

function asData(cell: Cell): Cell {
  return cell?.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

function quoted(cell: string): string {
  return cell === '' || cell.trim() !== cell || /[",;\t\r\n\ufeff]/.test(cell)
    ? `"${cell.replaceAll('"', '""')}"`
    : cell;
}
