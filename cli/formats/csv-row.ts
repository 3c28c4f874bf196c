/** The text of a cell: `""` is the empty text; an empty or blank unquoted cell is undefined. */
export type Cell = string | undefined;

/**
 * Matches what spreadsheets evaluate as a formula, full-width characters included. Allows leading apostrophes, so that the
 * one that `csvRow` adds can be removed unambiguously.
 */
const FORMULA = /^'*(?:[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/;

/** Blanks around the quotes do not count. */
const CELL = /(?: *"((?:[^"]|"")*)" *|([^",]*))(,|$)/y;

/** Parses one record (RFC 4180), in which quoted cells may contain line ends. Undefined for invalid quoting. */
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

/** Whether a quoted cell is still open after this line. A quote opens a cell only at its beginning. */
export function isOpenAfter(line: string, isOpenBefore: boolean): boolean {
  let isOpen = isOpenBefore;
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) {
    if (!isOpen) isOpen = opensCell(line, at);
    else if (line[at + 1] === '"') at++;
    else isOpen = false;
  }
  return isOpen;
}

function opensCell(line: string, at: number): boolean {
  let before = at - 1;
  while (line[before] === ' ') before--;
  return before < 0 || CELL_ENDS.includes(line.charAt(before));
}

/** The separators of CSV dialects. */
const CELL_ENDS = [',', ';', '\t'];

/**
 * Formats one record without line end. Quotes cells where needed, and empty texts. Prefixes formulas with an apostrophe,
 * which `cellsOf` removes.
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
