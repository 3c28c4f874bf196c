import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeMetricsFile } from '../../../cli/bulk/metrics-file.ts';
import { temporaryFolder } from '../../support/config-file.ts';

describe('the file for node_exporter', () => {
  it('is written over no file that somebody linked to its temporary name', async (t) => {
    const folder = temporaryFolder(t);
    const [path, precious] = [join(folder, 'list.prom'), join(folder, 'precious')];
    writeFileSync(precious, 'somebody needs this');
    symlinkSync(precious, `${path}.${process.pid}.tmp`);
    await assert.rejects(
      writeMetricsFile(path, 'drop', 1, 1000),
      /list drop is synced, but .* cannot be written: EEXIST/,
    );
    assert.equal(readFileSync(precious, 'utf8'), 'somebody needs this');
    await writeMetricsFile(path, 'drop', 1, 1000);
    assert.deepEqual(readdirSync(folder).toSorted(), ['list.prom', 'precious']);
  });
});
