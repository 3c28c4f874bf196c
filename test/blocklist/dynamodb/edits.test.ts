import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packEdits, unpackEdits } from '../../../blocklist/dynamodb/edits.ts';
import type { Edit } from '../../../blocklist/records.ts';

describe('the edits of a run', () => {
  it('come back as they were, in parts that fit into an item each', () => {
    const note = () => randomBytes(20_000).toString('base64');
    const edits = Array.from(
      { length: 60 },
      (_, n): Edit => ({
        subject: `ip:203.0.113.${n}`,
        ...(n % 3 > 0 && { before: { action: 'deny', expiresAt: n, note: note(), vars: { location: '/é' } } }),
        ...(n % 3 < 2 && { after: { action: 'tag', vars: {}, ticket: { SS: ['a', 'b'] } } }),
      }),
    );
    const parts = packEdits(edits);
    for (const part of parts) assert.ok(part.byteLength < 300_000, String(part.byteLength));
    assert.ok(parts.length > 3);
    assert.deepEqual(parts.flatMap(unpackEdits), edits);
  });

  it('name what cannot be recorded', () => {
    for (const note of [{ B: new Uint8Array(3) }, 'x'.repeat(150_000)])
      assert.deepEqual(packEdits([{ subject: 'ip:203.0.113.7', before: { note } }]).flatMap(unpackEdits), [
        { subject: 'ip:203.0.113.7', isIncomplete: true },
      ]);
  });

  it('are none where a part is damaged, or unpacks to too much', () => {
    for (const bytes of [new Uint8Array(), gzipSync('{'), gzipSync(`["${'x'.repeat(5_000_000)}"]`)])
      assert.deepEqual(unpackEdits(bytes), []);
  });
});
