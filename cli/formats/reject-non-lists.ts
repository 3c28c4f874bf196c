import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { otherProgram } from './other-programs.ts';

/** The beginnings of files that are not lists, whatever their names. */
const BEGINNINGS: readonly (readonly [begin: string, what: string])[] = [
  ['1f8b', 'is compressed with gzip: unpack it first'],
  ['504b0304', 'is a ZIP archive: unpack it first'],
  ['28b52ffd', 'is compressed with Zstandard: unpack it first'],
  ['425a68', 'is compressed with bzip2: unpack it first'],
  ['fd377a585a00', 'is compressed with xz: unpack it first'],
  ['377abcaf271c', 'is a 7z archive: unpack it first'],
  ['25504446', 'is a PDF document, not a list'],
  ['fffe', 'is UTF-16 text: write it as UTF-8'],
  ['feff', 'is UTF-16 text: write it as UTF-8'],
];

/**
 * Rejects binary data, archives, web pages and, unless the format is forced, files of other programs in one line that says
 * what the source is. `kind` is that of bare values.
 */
export function rejectNonLists(head: Uint8Array, name: string, kind: string, isForced: boolean): void {
  const hex = Buffer.from(head.subarray(0, 8)).toString('hex');
  const known = BEGINNINGS.find(([begin]) => hex.startsWith(begin))?.[1];
  const text = new TextDecoder().decode(head).trimStart();
  const other = isForced ? undefined : otherProgram(text, kind);
  const what = known ?? (other === undefined ? textProblem(head, text) : `is ${other}`);
  if (what !== undefined) throw new CliError(EXIT.failed, `${name} ${what}`);
}

function textProblem(head: Uint8Array, text: string): string | undefined {
  if (/^<(!doctype html|html|head|body)\b/i.test(text)) return `is an HTML page, not a list${titled(text)}`;
  if (/^<(\?xml|[a-z!])/i.test(text)) return `is XML or HTML, not a list${titled(text)}`;
  if (head.includes(0)) return 'is binary data, not a list';
  if (/\r[^\n]/.test(text) && !/^[[{]|\n/.test(text)) return 'ends its lines with \\r alone: write \\n';
  return undefined;
}

/** The title of a page, or the code of an error of S3 and others. */
function titled(text: string): string {
  const [, title = ''] = /<(?:title|code)>\s*([^<]{1,200})/i.exec(text) ?? [];
  return title === '' ? '' : `: it says "${printable(title.trim(), 60)}"`;
}
