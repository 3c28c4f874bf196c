import { CliError, EXIT } from '../exit/cli-error.ts';

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

/** Rejects binary data, archives and web pages in one line that says what the source is. */
export function rejectNonLists(head: Uint8Array, name: string): void {
  const hex = Buffer.from(head.subarray(0, 8)).toString('hex');
  const what = BEGINNINGS.find(([begin]) => hex.startsWith(begin))?.[1] ?? textProblem(head);
  if (what !== undefined) throw new CliError(EXIT.failed, `${name} ${what}`);
}

function textProblem(head: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(head).trimStart();
  if (/^<(!doctype html|html|head|body)\b/i.test(text)) return 'is an HTML page, not a list';
  if (/^<(\?xml|[a-z!])/i.test(text)) return 'is XML or HTML, not a list';
  if (head.includes(0)) return 'is binary data, not a list';
  if (/\r[^\n]/.test(text) && !/^[[{]|\n/.test(text)) return 'ends its lines with \\r alone: write \\n';
  return undefined;
}
