import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../agent/decision/clock.ts';
import { Keeper } from '../../../agent/scripts/keeper.ts';
import { tryRules } from '../../../agent/scripts/try.ts';
import { rulesFile } from '../../support/rules.ts';

const MESSAGES = [{ name: 'check', subjects: [{ kind: 'ip', expression: 'src' }] }];
const GOOD = 'export default { check() {} };';
const DYING = 'setTimeout(() => process.exit(9), 20); export default { check() {} };';

async function setUp(t: TestContext, text: string) {
  const file = rulesFile(t, text);
  const told: string[] = [];
  let onTold = () => {};
  const tell = (line: string) => {
    told.push(line);
    onTold();
  };
  const keeper = new Keeper({ file, messages: MESSAGES, deadlineMs: 5000 }, systemClock, {
    loaded: (messages) => tell(`loaded ${[...messages]}`),
    refused: ({ problem, place }) => tell(`refused ${problem} ${place}`),
    died: ({ problem }, restartInMs) => tell(`died ${problem}, restart in ${restartInMs}`),
    restarted: () => tell('restarted'),
    printed: tell,
  });
  t.after(() => keeper.close());
  await keeper.open();
  /** Resolves once so many lines are told. */
  const lines = (count: number) =>
    new Promise<readonly string[]>((resolve) => {
      onTold = () => told.length >= count && resolve(told);
      onTold();
    });
  return { file, keeper, told, lines };
}

describe('the keeper of rules', () => {
  it('restarts what dies, after a pause that doubles', async (t) => {
    const { lines } = await setUp(t, DYING);
    const death = (ms: number) => `died ended itself with exit code 9, restart in ${ms}`;
    assert.deepEqual((await lines(6)).slice(0, 6), [
      'loaded check',
      death(100),
      'restarted',
      death(200),
      'restarted',
      death(400),
    ]);
  });

  it('puts a new version in place of one that waits for its restart', async (t) => {
    const { file, keeper, lines, told } = await setUp(t, DYING);
    await lines(2);
    assert.deepEqual([keeper.running], [undefined]);
    writeFileSync(file, GOOD);
    await keeper.reload();
    // a slow machine may restart the old one meanwhile
    assert.equal(told.at(-1), 'loaded check');
    assert.ok(keeper.running?.messages.has('check'));
  });

  it('keeps the process that it has where the new version is wrong', async (t) => {
    const { file, keeper, told } = await setUp(t, GOOD);
    const before = keeper.running;
    writeFileSync(file, 'export default { chekc() {} };');
    await keeper.reload();
    assert.equal(keeper.running, before);
    assert.match(told[1] ?? '', /^refused has a function for chekc, .* did you mean check\?/);
  });

  it('leaves no process behind when it is closed in the middle of something', async (t) => {
    const { keeper } = await setUp(t, GOOD);
    const reloading = keeper.reload();
    await keeper.close();
    await reloading;
    assert.equal(keeper.running, undefined);
  });
});

describe('trying rules', () => {
  it('says which messages they decide', async (t) => {
    assert.deepEqual(await tryRules({ file: rulesFile(t, GOOD), messages: MESSAGES, deadlineMs: 5000 }), ['check']);
  });

  it('fails with a line that begins with the place', async (t) => {
    const file = rulesFile(t, 'export default nothing;');
    await assert.rejects(tryRules({ file, messages: MESSAGES, deadlineMs: 5000 }), {
      name: 'ConfigError',
      message: `${file}:1:16: rules: ReferenceError: nothing is not defined`,
    });
  });
});
