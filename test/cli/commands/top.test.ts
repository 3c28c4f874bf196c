import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adminSocket } from '../../support/admin-socket.ts';
import { configFile } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { runOnTable } from '../../support/haverdict-on-table.ts';

const NO_TABLE = 'http://127.0.0.1:1';

describe('haverdict top', () => {
  it('prints with --once --json what programs read', async (t) => {
    const { path } = await adminSocket(t);
    const { status, stdout, stderr } = await runOnTable(
      NO_TABLE,
      'top',
      '--once',
      '--json',
      '--interval',
      '0.1',
      '--socket',
      path,
    );
    assert.deepEqual([status, stderr], [0, '']);
    const overview = JSON.parse(stdout);
    const names = Object.entries(overview).flatMap(([name, value]) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.keys(value).map((key) => `${name}.${key}`)
        : [name],
    );
    assert.deepEqual(names, [
      'atMs',
      'version',
      'host',
      'pid',
      'workers',
      'uptimeSeconds',
      'intervalSeconds',
      'decisionsPerSecond',
      'decisions',
      'decisionTime.p50',
      'decisionTime.p99',
      'hitRatio',
      'cache.entries',
      'cache.maxEntries',
      'cache.bytes',
      'cache.stalePerSecond',
      'backend.breaker',
      'backend.callsPerSecond',
      'backend.failuresPerSecond',
      'backend.isFailing',
      'backend.time',
      'backend.queued',
      'backend.inFlight',
      'backend.lastErrorAtMs',
      'backend.lastError',
      'updates.state',
      'updates.ageSeconds',
      'mirror.state',
      'mirror.ageSeconds',
      'mirror.entries',
      'mirror.bytes',
      'spop.connections',
      'spop.framesPerSecond',
      'spop.errors',
      'condition',
      'degraded',
      'degradedSinceMs',
      'surge',
      'reloadError',
      'lastMinute',
      'recent',
      'top',
      'problem',
    ]);
  });

  it('prints lines without a terminal, with nothing in them that steers one', async (t) => {
    const { path, control } = await adminSocket(t);
    control.next = { ...control.next, top: [{ subject: 'key:\u001b[2J', list: 'manual', count: 3 }] };
    const { stdout } = await runOnTable(NO_TABLE, 'top', '--once', '--interval', '0.1s', '--socket', path);
    assert.match(stdout, /^haproxy-1 {2}ready .*haverdict 0\.1\.0 {2}pid 4711 {2}up 0m 10s/);
    assert.match(stdout, /^ +3 {2}key:\\u001b\[2J +manual$/m);
  });

  it('ends with 1 and one line where there is no agent, with 2 where the command line or the configuration has none', async (t) => {
    const gone = await runHaverdict('top', '--socket', '/nonexistent/admin.sock');
    assert.deepEqual([gone.status, gone.stdout], [1, '']);
    assert.match(gone.stderr, /^haverdict: \/nonexistent\/admin\.sock does not exist: is the agent running .*\n$/);
    assert.equal((await runHaverdict('top', '--interval', '0')).status, 2);
    const config = configFile(t, 'backend: { url: http://127.0.0.1:8787 }\n');
    const none = await runHaverdict('top', '-c', config);
    assert.equal(none.status, 2);
    assert.match(none.stderr, /has no admin\.socket/);
  });
});
