import { EXIT } from './cli-error.ts';

/** Commands that change something: they finish even if their output is not read. */
const CHANGING = new Set(['block', 'allow', 'remove', 'revert', 'import', 'sync', 'lists', 'lint', 'flush', 'prove']);

/**
 * Ends a command that only prints as soon as its output cannot be written: with 0 if the reader closed the pipe, as in
 * `haverdict list | head`, else with a message and 1. A command that changes something finishes first.
 */
export function handleOutputErrors(command: string): void {
  let isReported = false;
  process.stderr.on('error', () => {}); // it cannot be reported anywhere
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isReaderGone = error.code === 'EPIPE';
    if (!isReaderGone && !isReported) report(error.message, CHANGING.has(command));
    isReported = true;
    if (!CHANGING.has(command)) process.exit(isReaderGone ? EXIT.done : EXIT.failed);
  });
}

function report(problem: string, continues: boolean): void {
  const work = continues ? '; the command continues' : '';
  process.stderr.write(`haverdict: cannot write to standard output: ${problem}${work}\n`);
  process.once('exit', (code) => {
    if (code === EXIT.done) process.exitCode = EXIT.failed;
  });
}
