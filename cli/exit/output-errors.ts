import { EXIT } from './cli-error.ts';

/** What these have begun they end, whether or not anybody reads what they print. */
const CHANGING = new Set(['block', 'allow', 'remove', 'import', 'sync', 'lists', 'lint', 'flush']);

/**
 * Has a command that only prints end as soon as nobody takes what it prints: with 0 if its reader has seen enough, as in
 * `haverdict list | head`, with one line and 1 if it cannot be written. One that changes something goes on to its end.
 */
export function handleOutputErrors(command: string): void {
  let isTold = false;
  process.stderr.on('error', () => {}); // there is nowhere to tell it
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isReaderGone = error.code === 'EPIPE';
    if (!isReaderGone && !isTold) tell(error.message, CHANGING.has(command));
    isTold = true;
    if (!CHANGING.has(command)) process.exit(isReaderGone ? EXIT.done : EXIT.failed);
  });
}

function tell(problem: string, isGoingOn: boolean): void {
  const work = isGoingOn ? '; the command itself goes on' : '';
  process.stderr.write(`haverdict: cannot write to standard output: ${problem}${work}\n`);
  process.once('exit', (code) => {
    if (code === EXIT.done) process.exitCode = EXIT.failed;
  });
}
