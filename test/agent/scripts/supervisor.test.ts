import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../agent/decision/clock.ts';
import { checkScript, Supervisor } from '../../../agent/scripts/supervisor.ts';
import { scriptFile } from '../../support/scripts.ts';

const MESSAGES = [{ name: 'check', subjects: [{ kind: 'ip', expression: 'src' }] }];
const GOOD = 'export default { check() {} };';
const DYING = 'setTimeout(() => process.exit(9), 20); export default { check() {} };';

async function setUp(t: TestContext, text: string) {
  const file = scriptFile(t, text);
  const told: string[] = [];
  let onTold = () => {};
  const tell = (line: string) => {
    told.push(line);
    onTold();
  };
  const supervisor = new Supervisor({ file, messages: MESSAGES, deadlineMs: 5000 }, systemClock, {
    loaded: (messages) => tell(`loaded ${[...messages]}`),
    reloadFailed: ({ problem, place }) => tell(`reload failed: ${problem} ${place}`),
    died: ({ problem }, restartInMs) => tell(`died ${problem}, restart in ${restartInMs}`),
    restarted: () => tell('restarted'),
    output: tell,
  });
  t.after(() => supervisor.close());
  await supervisor.open();
  /** Resolves once so many lines are told. */
  const lines = (count: number) =>
    new Promise<readonly string[]>((resolve) => {
      onTold = () => told.length >= count && resolve(told);
      onTold();
    });
  return { file, supervisor, told, lines };
}

describe('the supervisor', () => {
  it('restarts a process that died, with a delay that doubles', async (t) => {
    const { lines } = await setUp(t, DYING);
    const death = (ms: number) => `died exited with code 9, restart in ${ms}`;
    assert.deepEqual((await lines(6)).slice(0, 6), [
      'loaded check',
      death(100),
      'restarted',
      death(200),
      'restarted',
      death(400),
    ]);
  });

  it('replaces a process that waits for its restart with a new version', async (t) => {
    const { file, supervisor, lines, told } = await setUp(t, DYING);
    await lines(2);
    assert.deepEqual([supervisor.current], [undefined]);
    writeFileSync(file, GOOD);
    await supervisor.reload();
    // a slow machine may restart the old one meanwhile
    assert.equal(told.at(-1), 'loaded check');
    assert.ok(supervisor.current?.messages.has('check'));
  });

  it('keeps the process if the new version is invalid', async (t) => {
    const { file, supervisor, told } = await setUp(t, GOOD);
    const before = supervisor.current;
    writeFileSync(file, 'export default { chekc() {} };');
    await supervisor.reload();
    assert.equal(supervisor.current, before);
    assert.match(told[1] ?? '', /^reload failed: has a function for chekc, .* did you mean check\?/);
  });

  it('leaves no process behind when it is closed during a reload', async (t) => {
    const { supervisor } = await setUp(t, GOOD);
    const reloading = supervisor.reload();
    await supervisor.close();
    await reloading;
    assert.equal(supervisor.current, undefined);
  });
});

describe('checking a script', () => {
  it('returns the messages that it decides', async (t) => {
    assert.deepEqual(await checkScript({ file: scriptFile(t, GOOD), messages: MESSAGES, deadlineMs: 5000 }), ['check']);
  });

  it('fails with a line that starts with the place', async (t) => {
    const file = scriptFile(t, 'export default nothing;');
    await assert.rejects(checkScript({ file, messages: MESSAGES, deadlineMs: 5000 }), {
      name: 'ConfigError',
      message: `${file}:1:16: script: ReferenceError: nothing is not defined`,
    });
  });
});
