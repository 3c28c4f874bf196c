import { readFileSync } from 'node:fs';

const PAGE = readFileSync(new URL('../../docs/reference/infra.md', import.meta.url), 'utf8');

/** The rows of the table with this heading, by default in docs/reference/infra.md. */
export function tableBelow(heading: string, page = PAGE): string[] {
  const lines = page.split('\n');
  const first = lines.findIndex((line) => line.startsWith(heading)) + 2;
  return lines.slice(first, lines.indexOf('', first));
}

/** The first name of each row. */
export function namesBelow(heading: string): string[] {
  return tableBelow(heading)
    .map((row) => /`(.+?)`/.exec(row)?.[1] ?? '')
    .sort();
}
