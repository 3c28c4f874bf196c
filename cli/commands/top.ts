import { once } from 'node:events';
import { Command, Option } from 'commander';
import { addSocketOption, type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { printJsonLine, printLine } from '../output/output.ts';
import { type Sight, watch } from '../top/poll.ts';
import { screenLines } from '../top/screen.ts';
import { Terminal } from '../top/terminal.ts';

interface TopOptions extends SocketOptions {
  readonly interval: number;
  readonly once?: true;
  readonly json?: true;
}

const MAX_INTERVAL_SECONDS = 3600;
/** Lines of a status that is no screen. */
const MAX_LINES = 60;
const MAX_COLUMNS = 200;

/** `haverdict top`: what the running agent does, second by second. */
export function topCommand(): Command {
  const command = new Command('top').description('watch the running agent: decisions, cache, backend, last denies');
  addSocketOption(command)
    .addOption(
      new Option('--interval <seconds>', 'how often it is looked at, like 5s or 0.5s')
        .argParser(readInterval)
        .default(1000, '1s'),
    )
    .option('--once', 'print what happens in one interval, and end')
    .option('--json', 'print a JSON object a line instead')
    .addHelpText('after', '\nOn a terminal, q or Ctrl-C ends it.')
    .action(top);
  return addExamples(command, 'haverdict top', 'haverdict top --once --json -c /etc/haverdict/haverdict.yaml');
}

async function top({ interval, ...options }: TopOptions): Promise<void> {
  const path = await socketPath(options, process.env);
  const ended = new AbortController();
  const sights = watch(path, interval, ended.signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => ended.abort());
  if (options.once) return printSecond(sights, options);
  if (process.stdout.isTTY && !options.json) return show(sights, ended);
  for await (const sight of sights) await print(sight, options);
}

/** The first is about all the time since the agent started. */
async function printSecond(sights: AsyncGenerator<Sight>, options: Pick<TopOptions, 'json'>): Promise<void> {
  await sights.next();
  const { value, done } = await sights.next();
  if (done) return;
  if (value.problem !== undefined) throw new Error(value.problem);
  await print(value, options);
}

async function print({ overview, problem }: Sight, { json }: Pick<TopOptions, 'json'>): Promise<void> {
  if (json) return printJsonLine({ ...overview, problem: problem ?? null });
  const lines = screenLines(overview, MAX_COLUMNS, MAX_LINES, problem);
  for (const { text } of lines) await printLine(text);
  await printLine('');
}

async function show(sights: AsyncGenerator<Sight>, ended: AbortController): Promise<void> {
  let last = (await sights.next()).value as Sight | undefined; // rejects if there is no agent, before the screen changes
  const draw = () => {
    const { columns, rows } = terminal.size;
    if (last !== undefined) terminal.draw(screenLines(last.overview, columns, rows, last.problem));
  };
  const hasColour = !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const terminal = new Terminal(
    process.stdin,
    process.stdout,
    { leave: () => ended.abort(), resized: draw },
    hasColour,
  );
  try {
    draw();
    for await (const sight of sights) {
      last = sight;
      draw();
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
    }
  } finally {
    terminal.close();
  }
}

/** As milliseconds. */
function readInterval(text: string): number {
  const seconds = Number(/^(\d{1,4}(?:\.\d{1,3})?)s?$/.exec(text)?.[1]);
  if (seconds >= 0.1 && seconds <= MAX_INTERVAL_SECONDS) return seconds * 1000;
  throw usageError(`"${text}" is no interval: write seconds from 0.1s to ${MAX_INTERVAL_SECONDS}s, like 5s`);
}
