import { once } from 'node:events';
import type { Key } from 'node:readline';
import { Command, Option } from 'commander';
import { addSocketOption, type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { isColoured, printJsonLine, printLine, terminalColumns } from '../output/output.ts';
import { inAscii, isUtf8 } from '../top/ascii.ts';
import type { Overview } from '../top/overview.ts';
import { held, type Poll, poll } from '../top/poll.ts';
import { type Line, type ScreenOptions, screenLines } from '../top/screen.ts';
import { Terminal } from '../top/terminal.ts';
import { pressed, USUAL_VIEW } from '../top/view.ts';

interface TopOptions extends SocketOptions {
  readonly interval: number;
  readonly once?: true;
  readonly json?: true;
}

const MAX_INTERVAL_SECONDS = 3600;
/** The height of a status that is not printed on a terminal. */
const MAX_LINES = 60;
const MAX_COLUMNS = 200;

/** `haverdict top`: a live view of the running agent. */
export function topCommand(): Command {
  const command = new Command('top').description('watch the running agent: decisions, cache, backend, recent denies');
  addSocketOption(command)
    .addOption(
      new Option('--interval <seconds>', 'refresh interval, like 5s or 0.5s')
        .argParser(readInterval)
        .default(1000, '1s'),
    )
    .option('--once', 'print one interval and exit')
    .option('--json', 'print one JSON object per line')
    .addHelpText(
      'after',
      '\nOn a terminal: q or Ctrl-C quits, p pauses, s sorts by rate, total or name, / filters the rows.',
    )
    .action(top);
  return addExamples(command, 'haverdict top', 'haverdict top --once --json');
}

async function top({ interval, ...options }: TopOptions): Promise<void> {
  const path = await socketPath(options, process.env);
  const ended = new AbortController();
  const polls = poll(path, interval, ended.signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => ended.abort());
  if (options.once) return printSecond(polls, options);
  if (process.stdout.isTTY && process.env.TERM !== 'dumb' && !options.json) return show(polls, ended);
  for await (const result of polls) await print(result, options);
}

/** The first snapshot covers all the time since the agent started; the second covers one interval. */
async function printSecond(polls: AsyncGenerator<Poll>, options: Pick<TopOptions, 'json'>): Promise<void> {
  await polls.next();
  const { value, done } = await polls.next();
  if (done) return;
  if (value.problem !== undefined) throw new Error(value.problem);
  await print(value, options);
}

async function print({ overview, problem }: Poll, { json }: Pick<TopOptions, 'json'>): Promise<void> {
  if (json) return printJsonLine({ ...overview, problem: problem ?? null });
  const lines = shownLines(overview, { columns: terminalColumns() ?? MAX_COLUMNS, rows: MAX_LINES, problem });
  for (const { text } of lines) await printLine(text);
  await printLine('');
}

async function show(polls: AsyncGenerator<Poll>, ended: AbortController): Promise<void> {
  let last = (await polls.next()).value as Poll | undefined; // rejects before the screen changes if the agent is not running
  let view = USUAL_VIEW;
  const draw = () => {
    if (last !== undefined) terminal.draw(shownLines(last.overview, { ...terminal.size, problem: last.problem, view }));
  };
  const onKey = (key: Key) => {
    const next = pressed(view, key);
    if (next === 'leave') return ended.abort();
    view = next;
    draw();
  };
  const events = { pressed: onKey, resized: draw };
  const terminal = new Terminal(process.stdin, process.stdout, events, isColoured(process.stdout, process.env));
  try {
    draw();
    for await (const result of polls) {
      last = view.isPaused && last !== undefined ? held(last, result) : result;
      draw();
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
    }
  } finally {
    terminal.close();
  }
}

function shownLines(overview: Overview, options: ScreenOptions): Line[] {
  const lines = screenLines(overview, options);
  return isUtf8(process.env) ? lines : lines.map(({ text, tone }) => ({ text: inAscii(text), tone }));
}

/** Parses `--interval`, in milliseconds. */
function readInterval(text: string): number {
  const seconds = Number(/^(\d{1,4}(?:\.\d{1,3})?)s?$/.exec(text)?.[1]);
  if (seconds >= 0.1 && seconds <= MAX_INTERVAL_SECONDS) return seconds * 1000;
  throw usageError(`"${text}" is not a valid interval: use 0.1s to ${MAX_INTERVAL_SECONDS}s, like 5s`);
}
