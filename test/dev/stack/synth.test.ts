import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { synthesized } from '../../../dev/stack/synth.ts';

describe('the synthesized stack', () => {
  it('is made once and used again for the same sources', async () => {
    const folder = await synthesized();
    assert.ok(existsSync(join(folder, 'manifest.json')));
    assert.equal(await synthesized(() => assert.fail('synthesized again')), folder);
  });

  it('is made once when several want it at the same time', async () => {
    const folders = await Promise.all([synthesized(), synthesized()]);
    assert.equal(folders[0], folders[1]);
  });
});
