import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ListedDecision } from '../../../agent/scripts/script-types.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { calledIn, scriptFile, startScript } from '../../support/scripts.ts';

const ALLOWED: ListedDecision = { action: 'allow', source: 'cache' };
const SCRIPT_PROCESS = join(import.meta.dirname, '../../../agent/scripts/script-process.ts');

describe('a script', () => {
  it('may import modules, be TypeScript, and use top-level await', async (t) => {
    const file = scriptFile(
      t,
      `import { setTimeout } from 'node:timers/promises';
       import { word } from './word.ts';
       await setTimeout(5);
       export default { check: (request: { message: string }) => ({ action: 'deny', reason: word + request.message }) };`,
      'script.ts',
    );
    writeFileSync(join(file, '../word.ts'), `export const word: string = 'of ';`);
    const call = await calledIn(t, file);
    assert.deepEqual(await call('check', {}, ALLOWED), { action: 'deny', source: 'script', reason: 'of check' });
  });

  const UNLOADABLE: readonly (readonly [name: string, text: string, problem: RegExp, place: RegExp | undefined])[] = [
    ['has a syntax error', 'export default {\n  check( { };\n};', /^SyntaxError: /, /script\.mjs:2$/],
    ['throws', `\n\nthrow new RangeError('too\\nfar');`, /^RangeError: too far$/, /script\.mjs:3:7$/],
    ['imports a missing module', `import './none.mjs';`, /Cannot find module .*none\.mjs/, undefined],
    [
      'exports nothing',
      '',
      /^TypeError: the default export must be an object with a function for each message$/,
      undefined,
    ],
    ['exports an array', 'export default [];', /must be an object/, undefined],
    ['exports no function', 'export default {};', /the default export has no functions/, undefined],
    ['exports something else', 'export default { check: 5 };', /check must be a function/, undefined],
    ['exits', 'process.exit(3);', /^exited with code 3$/, undefined],
    [
      'uses too much memory',
      'for (const a = []; ; ) a.push(new Array(1e6).fill(1.5));',
      // a slow machine does not fill it within the time limit
      /^used more than 256 MB of memory$|^did not load within 10 s$/,
      undefined,
    ],
  ];
  for (const [name, text, problem, place] of UNLOADABLE)
    it(`cannot be loaded if it ${name}: the error has the place`, async (t) => {
      const error = await startScript(t, scriptFile(t, text)).then(
        () => assert.fail('it was loaded'),
        (reason: unknown) => reason as Error & { place?: string },
      );
      assert.equal(error.name, 'ScriptLoadError');
      assert.match(error.message, problem);
      if (place === undefined) assert.equal(error.place, undefined);
      else assert.match(error.place ?? '', place);
    });

  it('cannot be loaded if the file does not exist', async (t) => {
    await assert.rejects(startScript(t, '/nowhere/script.mjs'), { message: 'no such file' });
  });
});

describe('a script process', () => {
  it('answers synchronous calls of a turn in order, and asynchronous ones when they are ready', async (t) => {
    const file = scriptFile(t, `export default { now: () => undefined, late: async () => ({ action: 'deny' }) };`);
    const { script } = await startScript(t, file);
    const answered: string[] = [];
    await Promise.all(
      ['late', 'now', 'late', 'now'].map(
        (message) =>
          new Promise<void>((resolve) => {
            script.call({ message, arguments: {}, decision: ALLOWED, leftMs: 1000 }, (outcome) => {
              answered.push(`${message} ${outcome?.type}`);
              resolve();
            });
          }),
      ),
    );
    assert.deepEqual(answered, ['now kept', 'now kept', 'late returned', 'late returned']);
  });

  it('passes a signal that is aborted before the deadline', async (t) => {
    const call = await calledIn(
      t,
      scriptFile(
        t,
        `export default { check: ({ signal }) => new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ action: 'tag', reason: signal.reason.name })); setTimeout(() => {}, 5000); }) };`,
      ),
    );
    assert.deepEqual(await call('check', {}, ALLOWED, 1000), {
      action: 'tag',
      source: 'script',
      reason: 'TimeoutError',
    });
  });

  it('skips calls whose deadline has passed, and so recovers from overload', async (t) => {
    const file = scriptFile(
      t,
      'export default { check() { for (const end = Date.now() + 100; Date.now() < end; ); } };',
    );
    const { script } = await startScript(t, file);
    const outcomes = await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<string | undefined>((resolve) => {
            const call = { message: 'check', arguments: {}, decision: ALLOWED, leftMs: 500 };
            script.call(call, (outcome) => resolve(outcome?.type));
          }),
      ),
    );
    const first = outcomes.indexOf('skipped');
    assert.ok(first > 0 && first < 10);
    assert.deepEqual(new Set(outcomes.slice(first)), new Set(['skipped']));
  });

  it('is killed as an endless loop if it does not respond', async (t) => {
    const { script, died } = await startScript(t, scriptFile(t, 'export default { check() { for (;;); } };'), 500);
    const gone = new Promise((resolve) =>
      script.call({ message: 'check', arguments: {}, decision: ALLOWED, leftMs: 1000 }, resolve),
    );
    assert.deepEqual(await died, { problem: 'has not responded for 0.5 s: endless loop?' });
    assert.equal(await gone, undefined);
    await script.kill();
  });

  it('accepts a limited number of calls and characters', async (t) => {
    const { script } = await startScript(t, scriptFile(t, 'export default { check: () => new Promise(() => {}) };'));
    const call = (text: string) =>
      script.call({ message: 'check', arguments: { text }, decision: ALLOWED, leftMs: 1000 }, () => {});
    assert.equal(call('x'.repeat(17_000_000)), false);
    assert.equal(call('x'.repeat(15_000_000)), true);
    assert.equal(call('x'.repeat(2_000_000)), false);
    let taken = 1;
    while (call('x')) taken++;
    assert.equal(taken, 1000);
  });

  it('prints to the log of the agent, up to a limit', async (t) => {
    const text = `export default { check() { console.log('one', { two: 2 }); process.stderr.write('three\\n'); } };`;
    const { script, output } = await startScript(t, scriptFile(t, text));
    for (let count = 0; count < 100; count++)
      await new Promise((resolve) =>
        script.call({ message: 'check', arguments: {}, decision: ALLOWED, leftMs: 1000 }, resolve),
      );
    assert.deepEqual(output.slice(0, 2), ['one { two: 2 }', 'three']);
    assert.equal(output.length, 60);
    assert.match(output.at(-1) ?? '', /further output of this minute is dropped/);
  });

  it('cannot send messages to the agent', async (t) => {
    const call = await calledIn(
      t,
      scriptFile(t, `export default { check: () => ({ action: 'tag', reason: typeof process.send }) };`),
    );
    assert.deepEqual(await call('check', {}, ALLOWED), { action: 'tag', source: 'script', reason: 'undefined' });
  });

  it('does not outlive the agent, not even in an endless loop', async (t) => {
    const file = scriptFile(
      t,
      `export default { pid: () => ({ action: 'tag', reason: String(process.pid) }), loop() { for (;;); } };`,
    );
    const agent = join(temporaryFolder(t), 'agent.mjs');
    writeFileSync(
      agent,
      `import { ScriptProcess } from ${JSON.stringify(SCRIPT_PROCESS)};
       const clock = { nowMs: () => performance.now(), after: (ms, task) => { const timer = setTimeout(task, ms); return () => clearTimeout(timer); } };
       const script = await ScriptProcess.start({ file: ${JSON.stringify(file)}, stuckMs: 60_000 }, clock, {});
       const call = (message, done) => script.call({ message, arguments: {}, decision: {}, leftMs: 1000 }, done);
       call('pid', (outcome) => { call('loop', () => {}); setTimeout(() => console.log(outcome.returned.reason), 100); });`,
    );
    const child = spawn(process.execPath, [agent], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const [said] = await once(child.stdout, 'data');
    const pid = Number(said);
    assert.ok(isThere(pid));
    child.kill('SIGKILL');
    while (isThere(pid)) await pause(10);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
