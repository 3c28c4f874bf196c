import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { answer } from '../../../agent/admin/endpoints.ts';

const DOCUMENT = join(import.meta.dirname, '../../../docs/reference/metrics.md');

describe('the endpoints of the admin address', () => {
  it('are those of the reference, and no others', async () => {
    const [, table = ''] = /\| Path \|.*\n\| ---.*\n([\s\S]*?)\n\n/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
    const documented = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, path]) => path);
    const snapshot = () => Promise.reject(new Error('an unknown path needs no snapshot'));
    const { status, body } = await answer({
      path: '/unknown',
      accept: '',
      isStopping: false,
      snapshot,
      hits: snapshot,
    });
    const [served = ''] = /\/.*$/m.exec(body) ?? [];
    assert.deepEqual({ status, served: served.split(', ') }, { status: 404, served: documented });
  });
});
