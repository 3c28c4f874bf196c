import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { formatListenAddress } from '../../config/listen-address.ts';
import type { Settings } from '../../config/settings.ts';
import { agentAddresses } from '../../haproxy/generate/agents-backend.ts';
import { haproxyFragment, markedSpoeFile } from '../../haproxy/generate/fragment.ts';
import { DEFAULT_SPOE_PATH } from '../../haproxy/generate/frontend.ts';
import { HAPROXY_VERSIONS, type HaproxyVersion } from '../../haproxy/versions.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { addConfigOption, type ConfigOptions, readSettings } from '../options/config-option.ts';
import { printLine } from '../output/output.ts';
import { writeWhole } from '../output/write-whole.ts';
import { replaceInto } from '../wiring/into.ts';

const SPOE_NAME = 'haverdict.spoe.cfg';
const FRAGMENT_NAME = 'haverdict.haproxy.cfg';

interface WiringOptions extends ConfigOptions {
  readonly haproxyVersion?: HaproxyVersion;
  readonly out?: string;
  readonly into?: string[];
  readonly frontend?: string[];
  readonly write?: true;
  readonly force?: true;
  readonly haproxyProgram: string;
}

/** `haverdict wiring`: HAProxy's configuration, generated from the agent's. */
export function wiringCommand(): Command {
  const command = new Command('wiring').description('print or write the HAProxy configuration for this agent');
  return addExamples(
    addConfigOption(command)
      .addOption(
        new Option(
          '--haproxy-version <version>',
          'the HAProxy version (default: haproxy.version of the configuration)',
        ).choices(HAPROXY_VERSIONS),
      )
      .option('--out <folder>', `write ${SPOE_NAME} and ${FRAGMENT_NAME} to this directory instead of printing them`)
      .addOption(
        new Option(
          '--into <file...>',
          "HAProxy's files, in the order of its -f: show what would be replaced between the marks in them; a folder means its *.cfg",
        ).conflicts('out'),
      )
      .option('--frontend <name...>', 'with --into: the frontends that get marks where they have none')
      .option('--write', 'with --into: replace it, if haproxy -c accepts the result; keeps a backup')
      .option('--force', 'with --into: also replace parts that were edited by hand')
      .option('--haproxy-program <path>', 'with --into --write: the haproxy that checks the result', 'haproxy')
      .addHelpText(
        'after',
        '\nExit code: 0 printed, written, shown or nothing to change; 1 refused, with nothing changed; 2 usage; 78 config.',
      )
      .action(async (options: WiringOptions) => {
        const { into, frontend: frontends, write = false, force = false, haproxyProgram } = options;
        if (into === undefined && (write || force || frontends !== undefined))
          throw usageError('--frontend, --write and --force go with --into');
        const settings = await wiredSettings(options);
        if (into !== undefined)
          for (const line of await replaceInto(settings, { into, frontends, write, force, haproxyProgram }))
            await printLine(line);
        else if (options.out === undefined) process.stdout.write(printed(settings));
        else for (const path of await written(settings, options.out)) process.stdout.write(`wrote ${path}\n`);
      }),
    'haverdict wiring',
    'haverdict wiring --haproxy-version 3.2 --out /etc/haproxy',
    'haverdict wiring --into /etc/haproxy/haproxy.cfg --frontend web --write',
    'haverdict wiring --into /etc/haproxy/haproxy.cfg --write',
  );
}

async function wiredSettings(options: WiringOptions): Promise<Settings> {
  const settings = await readSettings(options, process.env);
  const portless = agentAddresses(settings).find((address) => address.type === 'tcp' && address.port === 0);
  if (portless !== undefined)
    throw new CliError(EXIT.config, `listen: ${formatListenAddress(portless)} has port 0: HAProxy needs a fixed port`);
  const version = options.haproxyVersion ?? settings.haproxy.version;
  return { ...settings, haproxy: { ...settings.haproxy, version } };
}

function printed(settings: Settings): string {
  return [
    `# ==== ${SPOE_NAME}: save this as ${DEFAULT_SPOE_PATH} ====\n`,
    markedSpoeFile(settings),
    `\n# ==== ${FRAGMENT_NAME}: copy this into haproxy.cfg ====\n`,
    haproxyFragment(settings),
  ].join('');
}

/** The files refer to each other by the path they are written to. */
async function written(settings: Settings, folder: string): Promise<string[]> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CliError(EXIT.failed, `--out ${folder} is not a directory`);
  const spoePath = resolve(folder, SPOE_NAME);
  const fragmentPath = resolve(folder, FRAGMENT_NAME);
  await replaceFile(spoePath, markedSpoeFile(settings));
  await replaceFile(fragmentPath, haproxyFragment(settings, spoePath));
  return [spoePath, fragmentPath];
}

async function replaceFile(path: string, text: string): Promise<void> {
  try {
    await writeWhole(path, [text]);
  } catch (error) {
    throw new CliError(EXIT.failed, `cannot write ${path}: ${String(error)}`, { cause: error });
  }
}
