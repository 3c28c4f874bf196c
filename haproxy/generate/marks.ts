import { createHash } from 'node:crypto';

/** A part of the wiring, as it is written between two marks. */
export interface MarkedPart {
  readonly name: string;
  readonly text: string;
}

/** What stands between two marks in somebody's file. */
export interface FoundPart {
  readonly name: string;
  /** Of the lines as they were written. */
  readonly digest: string;
  /** The begin mark as it stands there. */
  readonly begin: string;
  /** The index of the line with the begin mark, and that with the end mark. */
  readonly from: number;
  readonly to: number;
  /** The lines between, without their ends. */
  readonly lines: readonly string[];
}

/** A mark without its counterpart, or one that cannot be read. */
export interface BrokenMark {
  /** The index of the line. */
  readonly at: number;
  readonly what: string;
}

const ANY_MARK = /^\s*#+\s*haverdict\s+(begin|end)\b/i;
/** Without a digest it is the place where a part goes, as an operator writes it. */
const BEGIN = /^[ \t]*# haverdict begin ([a-z0-9_-]+)(?: ([0-9a-f]{16}))?[ \t]*$/;
const END = /^[ \t]*# haverdict end ([a-z0-9_-]+)[ \t]*$/;

/** The part between its marks, indented like its own first line. */
export function marked({ name, text }: MarkedPart): string {
  const indentation = /^ */.exec(text)?.[0] ?? '';
  const begin = `${indentation}# haverdict begin ${name} ${digestOf(linesOf(text))}\n`;
  return `${begin}${text}${indentation}# haverdict end ${name}\n`;
}

/** Of what the lines say: indentation, blank lines and the ends of lines are the operator's. */
export function digestOf(lines: readonly string[]): string {
  const said = lines.map((line) => line.trim()).filter((line) => line !== '');
  return createHash('sha256').update(said.join('\n')).digest('hex').slice(0, 16);
}

/** Whether somebody changed what stands between the marks. */
export function isEdited({ digest, lines }: FoundPart): boolean {
  return digestOf(lines) !== digest;
}

/** Whether this is not what stands between the marks. */
export function isOutdated({ digest }: FoundPart, { text }: MarkedPart): boolean {
  return digestOf(linesOf(text)) !== digest;
}

export function readMarks(text: string): {
  readonly parts: readonly FoundPart[];
  readonly broken: readonly BrokenMark[];
} {
  const parts: FoundPart[] = [];
  const broken: BrokenMark[] = [];
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  let open: Pick<FoundPart, 'name' | 'digest' | 'begin' | 'from'> | undefined;
  for (const [at, line] of lines.entries()) {
    if (!ANY_MARK.test(line)) continue;
    const [, begun, digest = digestOf([])] = BEGIN.exec(line) ?? [];
    const [, ended] = END.exec(line) ?? [];
    if (begun !== undefined) {
      if (open !== undefined) broken.push({ at: open.from, what: `part ${open.name} begins and does not end` });
      open = { name: begun, digest, begin: line, from: at };
    } else if (ended === undefined) broken.push({ at, what: 'this mark cannot be read' });
    else if (open?.name !== ended) broken.push({ at, what: `part ${ended} ends and does not begin` });
    else {
      parts.push({ ...open, to: at, lines: lines.slice(open.from + 1, at) });
      open = undefined;
    }
  }
  if (open !== undefined) broken.push({ at: open.from, what: `part ${open.name} begins and does not end` });
  return { parts, broken };
}

/**
 * The text with these parts in place of those that it has; every byte outside of the marks stays, and inside the
 * indentation of the begin mark and its end of line are taken over.
 */
export function withParts(
  text: string,
  parts: readonly { readonly found: FoundPart; readonly part: MarkedPart }[],
): string {
  const lines = text.split('\n');
  for (const { found, part } of parts.toSorted((one, other) => other.found.from - one.found.from)) {
    const begin = lines[found.from] ?? '';
    const end = begin.endsWith('\r') ? '\r' : '';
    lines.splice(
      found.from,
      found.to - found.from,
      ...linesFor(part, begin.slice(0, begin.length - end.length)).map((line) => line + end),
    );
  }
  return lines.join('\n');
}

/** The lines of this part below its begin mark, as that stands in the file, and the mark. */
export function linesFor({ text }: MarkedPart, begin: string): string[] {
  const own = linesOf(text);
  const written = /^ */.exec(own[0] ?? '')?.[0].length ?? 0;
  const indentation = /^[ \t]*/.exec(begin)?.[0] ?? '';
  const mark = begin.replace(/(?: [0-9a-f]{16})?(?=[ \t]*$)/, ` ${digestOf(own)}`);
  return [mark, ...own.map((line) => (line === '' ? '' : `${indentation}${line.slice(written)}`))];
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
