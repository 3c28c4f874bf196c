import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { blocklistAt, localTable } from '../../support/local-table.ts';
import { manyRuns } from '../../support/many-runs.ts';

/** C0, DEL, C1, a mark of direction, no width, ends of a line and a paragraph, a tag. */
const HOSTILE = '\u001b[31m\u0007\u007f\u009b2J\u202e\u200b\ufeff\u2028\u2029\u{e0041}x';
const AT = '2026-11-30T00:00:00.000Z';

describe('what somebody wrote into the table or a feed', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = manyRuns({ after }, endpoint);
  const folder = temporaryFolder({ after });
  const ua = `ua:${HOSTILE}`;
  const put = (entry: object) => store.entries.put(entry as StoredEntry); // anybody can type anything
  await put({ subject: 'ip:203.0.113.7', list: 'odd', action: 'deny', note: HOSTILE, createdBy: HOSTILE });
  await put({ subject: 'ip:203.0.113.8', list: 'odd', action: HOSTILE, reason: HOSTILE });
  await put({ subject: 'ip:203.0.113.9', list: `o${HOSTILE}`, action: 'deny', vars: { [HOSTILE]: HOSTILE } });
  await put({ subject: ua, list: 'odd', action: 'deny', createdAt: HOSTILE });
  await put({ subject: 'ua:a\u009b2J\u202eb', list: 'unseen', action: 'deny', note: HOSTILE });
  await put({ subject: `ip:203.0.113.0${HOSTILE}`, list: 'odd', action: 'deny' });
  const record = { description: HOSTILE, owner: HOSTILE, source: HOSTILE, format: HOSTILE, etag: HOSTILE };
  await store.lists.create({ name: 'odd', ...record, createdBy: HOSTILE, createdAt: HOSTILE, syncedAt: HOSTILE });
  const said = { by: HOSTILE, why: HOSTILE, source: HOSTILE };
  await store.history.record({ list: 'odd', change: 'put', at: AT, subjects: [ua, HOSTILE], ...said });
  const feed = [{ subject: ua, note: HOSTILE }, { subject: `ip:${HOSTILE}`, [HOSTILE]: HOSTILE }, HOSTILE];
  const ndjson = join(folder, 'ndjson');
  writeFileSync(ndjson, `${feed.map((line) => JSON.stringify(line)).join('\n')}\n"203.0.113.${HOSTILE}\n${HOSTILE}`);
  const plain = join(folder, 'plain');
  writeFileSync(plain, `${ua} # ${HOSTILE}\n203.0.113.1 # ${HOSTILE}\n`);

  for (const args of [
    ...[['list', 'odd'], ['list', 'odd', '--json'], ['lists'], ['lists', '--all'], ['lists', '--all', '--json']],
    ...[['lists', 'describe', 'odd'], ['lists', 'describe', 'odd', '--json'], ['lint'], ['lint', '--json']],
    ...['203.0.113.7', '203.0.113.8', '203.0.113.9', ua].flatMap((subject) => [
      ...[
        ['show', subject],
        ['show', subject, '--json'],
        ['explain', subject],
        ['explain', subject, '--json'],
      ],
      ...[
        ['history', subject],
        ['history', subject, '--json'],
      ],
    ]),
    ...[
      ['history', '--list', 'odd'],
      ['history', '--list', 'odd', '--json'],
    ],
    ...['csv', 'plain', 'ndjson', 'json', 'haproxy', 'aws-waf'].flatMap((format) => [
      ['export', 'odd', '--format', format],
      ['export', 'unseen', '--format', format],
    ]),
    ...[
      ['list', 'unseen'],
      ['explain', 'ua:a\u009b2J\u202eb', '--lists', 'unseen'],
      ['show', 'ua:a\u009b2J\u202eb', '--lists', 'unseen'],
      ['remove', 'ua:a\u009b2J\u202eb', '--list', 'unseen'],
    ],
    ...[
      ['block', ua],
      ['block', HOSTILE],
      ['block', '203.0.113.1', '--note', HOSTILE],
      ['remove', HOSTILE],
    ],
    ...[
      ['block', '203.0.113.1', '--reason', HOSTILE],
      ['show', '203.0.113.7', '--lists', HOSTILE],
    ],
    ...[['remove', '203.0.113.8', '--list', 'odd', '--reason', HOSTILE], ['import', HOSTILE], [HOSTILE]],
    ...[
      ['lists', 'create', 'new', '--owner', HOSTILE],
      ['lists', 'describe', HOSTILE],
      ['export', HOSTILE],
    ],
    ...[
      ['import', ndjson, '--list', 'new', '--format', 'ndjson', '--dry-run', '--skip-invalid'],
      ['import', ndjson, '--list', 'new', '--format', 'csv'],
      ['import', ndjson, '--list', 'new', '--format', HOSTILE],
      ['sync', ndjson, '--list', 'odd', '--format', 'ndjson', '--dry-run', '--json', '--skip-invalid'],
      ['import', plain, '--list', 'new', '--dry-run', '--skip-invalid'],
      ['sync', plain, '--list', 'odd', '--dry-run', '--skip-invalid', '--yes'],
    ],
    ...[
      ['remove', ua, '203.0.113.7', '--list', 'odd'],
      ['lists', 'delete', 'odd', '--yes'],
    ],
  ])
    it(`steers no terminal: ${args.map((arg) => arg.replace(HOSTILE, '…').replace(folder, '')).join(' ')}`, async () => {
      const { status, said } = await run(...args);
      assert.doesNotMatch(said.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u, `${status} ${said}`);
      assert.ok(said !== '' || args[0] === 'export', 'something is printed');
      assert.doesNotMatch(said, /\n {4}at /, 'no stack');
    });

  it('is written by no command', async () => {
    const agents = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return ['import', join(folder, name), '--list', 'none', '--kind', 'ua'];
    };
    for (const args of [
      ['block', 'ua:a\u202eb'],
      ['block', 'ua:a\u200bb', '--list', 'none'],
      agents('agents.txt', 'a\u202eb\n'),
      agents('agents.ndjson', '"a\u009bb"\n'),
    ]) {
      const { status, said } = await run(...args);
      assert.notEqual(status, 0);
      assert.match(said, /subject has an invisible character/);
    }
  });
});
