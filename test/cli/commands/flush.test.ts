import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adminSocket } from '../../support/admin-socket.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';

const NO_TABLE = 'http://127.0.0.1:1';

describe('haverdict flush', () => {
  it('forgets what is named, or everything where that is said', async (t) => {
    const { path, control } = await adminSocket(t);
    control.known = { 'ip:203.0.113.7': { action: 'deny', freshForSeconds: 1, keptForSeconds: 1 } };
    const some = await runOnTable(NO_TABLE, 'flush', '203.0.113.7', 'host:Shop.example', '--socket', path);
    assert.deepEqual([some.status, some.stdout], [0, 'removed from the cache: 1\nnot cached: host:shop.example\n']);
    const all = await runOnTable(NO_TABLE, 'flush', '--all', '--json', '--socket', path);
    assert.deepEqual(JSON.parse(all.stdout), { forgotten: 1, unknown: [] });
    assert.deepEqual(control.told, ['flush ip:203.0.113.7', 'flush host:shop.example', 'flush all']);
  });

  const wrong: readonly [args: readonly string[], status: number, says: RegExp][] = [
    [[], 2, /^haverdict: name the subjects to remove, or use --all\n$/],
    [['203.0.113.7', '--all'], 2, /^haverdict: name subjects or use --all, not both\n$/],
    [['nonsense'], 2, /^haverdict: "nonsense" is not an address.*\n$/],
    [['203.0.113.0/24'], 1, /^haverdict: the agent: .*203\.0\.113\.0\/24.* is a network, .*\n$/],
  ];
  for (const [args, status, says] of wrong) {
    it(`changes nothing for: flush ${args.join(' ')}`, async (t) => {
      const { path, control } = await adminSocket(t);
      const run = await runOnTable(NO_TABLE, 'flush', ...args, '--socket', path);
      assert.equal(run.status, status);
      assert.match(run.stderr, says);
      assert.deepEqual(control.told, []);
    });
  }
});
