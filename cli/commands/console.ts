import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { Command } from 'commander';
import { readAgents } from '../agent-client/agent-address.ts';
import { ConsoleServer } from '../console/console-server.ts';
import { actor } from '../entries/actor.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { addConfigOption, type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { addTableOptions, type TableOptions } from '../options/table-options.ts';
import { printLine } from '../output/output.ts';

interface ConsoleOptions extends TableOptions, ConfigOptions {
  readonly agents?: string;
  readonly port: number;
}

type Run = (argv: readonly string[], complaints: { write(text: string): boolean }) => Promise<number>;

/** `haverdict console`: a page whose every click is a command of the program, which `run` runs. */
export function consoleCommand(run: Run): Command {
  const command = new Command('console')
    .description('serve a local web page to search, block, allow, import and undo, until Ctrl-C')
    .option('--port <number>', 'the port on 127.0.0.1 (default: any that is free)', readPort, 0)
    .option(
      '--agents <addresses>',
      'show what these agents denied: their admin.listen or admin.socket (default: the admin.socket of the configuration)',
      checkAgents,
    );
  return addExamples(
    addTableOptions(addConfigOption(command)),
    'haverdict console',
    'haverdict console -c /etc/haverdict/haverdict.yaml --port 8088',
    'haverdict console --agents 10.0.0.1:9101,10.0.0.2:9101',
  ).action((options: ConsoleOptions) => serve(run, options));
}

async function serve(run: Run, options: ConsoleOptions): Promise<void> {
  const file = configFile(options);
  const agents = options.agents ?? (await ownAgent(options));
  const server = new ConsoleServer({
    run: (args, complain) =>
      run([process.execPath, 'haverdict', ...args], {
        write(text) {
          complain(text);
          return true;
        },
      }),
    given: {
      table: tableArguments(options),
      config: file === undefined ? [] : [`--config=${file}`],
      agents: agents === undefined ? [] : [`--agents=${agents}`],
    },
    about: {
      ...{ table: options.table, place: options.endpointUrl ?? options.region, config: file, by: actor() },
      hasAgents: agents !== undefined,
    },
  });
  const link = await server.open(options.port);
  await printLine('Open this link in a browser on this host; it works once. Ctrl-C ends it.');
  await printLine(link);
  await ended();
  await server.close();
}

/** The agent of the configuration; undefined if it has none. */
async function ownAgent(options: ConfigOptions): Promise<string | undefined> {
  if (configFile(options) === undefined) return undefined;
  const { admin } = await readSections(['admin'], options, process.env);
  return admin.socket;
}

/** Resolves on a signal, or when the other end of standard input is gone. */
async function ended(): Promise<void> {
  const end = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => once(process, name, { signal: end.signal }));
  const stdin = fstatSync(0);
  const isPipe = stdin.isFIFO() || stdin.isSocket(); // from a terminal a background job may not even read
  const input = isPipe ? process.stdin.resume() : undefined;
  const gone = input === undefined ? [] : [once(input, 'close', { signal: end.signal })];
  await Promise.race([...signals, ...gone]);
  end.abort(); // the next signal ends the process at once
  await Promise.allSettled([...signals, ...gone]);
  input?.destroy(); // it would keep the process
}

function tableArguments({ table, region, endpointUrl, profile, readUnits }: TableOptions): string[] {
  const given = { table, region, 'endpoint-url': endpointUrl, profile, 'read-units': readUnits };
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw usageError(`--port "${text}" is not a port: use 1 to 65535`);
}

/** The text itself: each command reads it again. */
function checkAgents(text: string): string {
  readAgents(text);
  return text;
}
