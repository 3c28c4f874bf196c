import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/config-file.ts';

const LOG = new URL('../../agent/log.ts', import.meta.url).href;
const OUTPUT = new URL('../../agent/log-output.ts', import.meta.url).href;
const PROGRAM = `
  const { createLog } = await import(${JSON.stringify(LOG)});
  const { LogOutput } = await import(${JSON.stringify(OUTPUT)});
  const log = createLog('trace', new LogOutput(1));
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) log[level]({ text: 'a\\nb' }, level);
  log.error({ err: new Error('two\\nlines') }, 'thrown');
`;

describe('the log', () => {
  it('begins each line with its priority where standard output is the journal', (t) => {
    const lines = logged(t, (dev, ino) => `${dev}:${ino}`);
    assert.deepEqual(
      lines.map((line) => [line.slice(0, 3), JSON.parse(line.slice(3)).msg]),
      [
        ['<7>', 'trace'],
        ['<7>', 'debug'],
        ['<6>', 'info'],
        ['<4>', 'warn'],
        ['<3>', 'error'],
        ['<2>', 'fatal'],
        ['<3>', 'thrown'],
      ],
    );
  });

  it('is JSON lines alone where it is something else, even under systemd', (t) => {
    for (const stream of [() => undefined, (dev: number, ino: number) => `${dev}:${ino + 1}`]) {
      const lines = logged(t, stream);
      assert.deepEqual(
        lines.map((line) => JSON.parse(line).msg),
        ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'thrown'],
      );
    }
  });

  it('is one line a record on a terminal, errors too, in the order and with the levels of the log', () => {
    const { status, stdout } = spawnSync(
      'python3',
      ['-c', ON_TERMINAL, process.execPath, '--input-type=module', '-e', PROGRAM],
      {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      },
    );
    assert.equal(status, 0);
    const lines = stdout.trim().split(/\r?\n/);
    assert.deepEqual(
      lines.map((line) => /^\[[\d:.]+\] ([A-Z]+): (\w+) \{"/.exec(line)?.slice(1)),
      [
        ...['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level.toUpperCase(), level]),
        ['ERROR', 'thrown'],
      ],
      stdout,
    );
    assert.match(lines.at(-1) ?? '', /"message":"two\\nlines","stack":"Error: two\\nlines\\n +at /);
  });

  it('follows a change of its level', (t) => {
    const [last = '', ...more] = logged(
      t,
      () => undefined,
      `log.level = 'error'; log.warn('no'); log.error('yes');`,
    ).slice(7);
    assert.deepEqual([JSON.parse(last).msg, more.length], ['yes', 0]);
  });
});

/** Runs a program on a terminal, and prints what comes there. */
const ON_TERMINAL = `import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))`;

/** The lines that a process logs to a file, with this in its JOURNAL_STREAM. */
function logged(t: TestContext, journalStream: (dev: number, ino: number) => string | undefined, more = ''): string[] {
  const file = join(temporaryFolder(t), 'log');
  const stdout = openSync(file, 'w');
  const { dev, ino } = fstatSync(stdout);
  const stream = journalStream(dev, ino);
  const { JOURNAL_STREAM: _ours, ...env } = process.env;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM + more], {
    stdio: ['ignore', stdout, 'inherit'],
    env: stream === undefined ? env : { ...env, JOURNAL_STREAM: stream },
  });
  closeSync(stdout);
  assert.equal(status, 0);
  return readFileSync(file, 'utf8').trim().split('\n');
}
