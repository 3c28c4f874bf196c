import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { COLUMNS } from '../../../cli/formats/csv-heading.ts';
import { FORMAT_NAMES, type FormatName, formatOf } from '../../../cli/formats/formats.ts';
import { MAX_DOCUMENT_BYTES } from '../../../cli/formats/json-document.ts';
import { MAX_LINE_LENGTH } from '../../../cli/formats/lines.ts';
import { WRITTEN_FORMATS } from '../../../cli/formats/write-feed.ts';
import { MAX_BODY_BYTES } from '../../../cli/source/response-body.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/formats.md'), 'utf8');

describe('the page about formats', () => {
  it('lists every format and no other', () => {
    const names = decisionRows('Formats').map(([name]) => name?.replaceAll('`', ''));
    assert.deepEqual(names.sort(), [...FORMAT_NAMES].sort());
  });

  it('says of each how its name tells it, and what its problems are counted in', () => {
    for (const [name = '', what = '', told = '', unit = ''] of decisionRows('Formats')) {
      const format = formatOf(name.replaceAll('`', '') as FormatName); // each is one: see above
      const extensions = [...`${what} ${told}`.matchAll(/`\.(\w+)`/g)].map(([, extension]) => extension);
      assert.deepEqual([extensions, unit], [format.extensions ?? [], format.unit], name);
    }
  });

  it('says which of them are written', () => {
    const written = decisionRows('Formats').filter((cells) => cells.at(-1) !== 'no');
    assert.deepEqual(
      written.map(([name]) => name?.replaceAll('`', '')),
      [...WRITTEN_FORMATS],
    );
  });

  it('lists every column and no other', () => {
    const names = decisionRows('Columns and fields').flatMap(([cell = '']) => cell.replaceAll('`', '').split(', '));
    assert.deepEqual(names.sort(), [...COLUMNS].sort());
  });

  it('says the limits as they are', () => {
    const limits = decisionRows('Limits').map(([, limit = '']) => limit);
    assert.ok(limits[0]?.startsWith(`${MAX_LINE_LENGTH.toLocaleString('en')} characters`));
    assert.ok(limits[1]?.startsWith(`${MAX_DOCUMENT_BYTES / 1024 / 1024} MiB`));
    assert.equal(limits[2], `${MAX_BODY_BYTES / 1024 / 1024} MiB`);
  });
});

/** The cells of the table under this heading, without its header. */
function decisionRows(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const rows = (/(^\|.*\n)+/m.exec(section)?.[0] ?? '').trim().split('\n').slice(2);
  assert.ok(rows.length > 0, `table under "${heading}"`);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
