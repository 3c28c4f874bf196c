import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { formatListenAddress } from '../../config/listen-address.ts';
import type { Settings } from '../../config/settings.ts';
import { haproxyFragment } from '../../haproxy/generate/fragment.ts';
import { DEFAULT_SPOE_PATH } from '../../haproxy/generate/frontend.ts';
import { spoeFile } from '../../haproxy/generate/spoe.ts';
import { HAPROXY_VERSIONS, type HaproxyVersion } from '../../haproxy/versions.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { addConfigOption, type ConfigOptions, readSettings } from '../options/config-option.ts';

const SPOE_NAME = 'haverdict.spoe.cfg';
const FRAGMENT_NAME = 'haverdict.haproxy.cfg';

interface WiringOptions extends ConfigOptions {
  readonly haproxyVersion?: HaproxyVersion;
  readonly out?: string;
}

/** `haverdict wiring`: what HAProxy has to be told, from the agent's own configuration. */
export function wiringCommand(): Command {
  const command = new Command('wiring').description(
    'print or write the HAProxy configuration that belongs to the agent',
  );
  return addExamples(
    addConfigOption(command)
      .addOption(
        new Option('--haproxy-version <version>', 'instead of haproxy.version of the file').choices(HAPROXY_VERSIONS),
      )
      .option('--out <folder>', `write ${SPOE_NAME} and ${FRAGMENT_NAME} there instead of printing them`)

      .action(async (options: WiringOptions) => {
        const settings = await wiredSettings(options);
        if (options.out === undefined) process.stdout.write(printed(settings));
        else for (const path of written(settings, options.out)) process.stdout.write(`wrote ${path}\n`);
      }),
    'haverdict wiring -c haverdict.yaml',
    'haverdict wiring -c haverdict.yaml --haproxy-version 3.2 --out /etc/haproxy',
  );
}

async function wiredSettings(options: WiringOptions): Promise<Settings> {
  const settings = await readSettings(options, process.env);
  const portless = settings.listen.find((address) => address.type === 'tcp' && address.port === 0);
  if (portless !== undefined)
    throw new CliError(EXIT.config, `listen: ${formatListenAddress(portless)} has no port that HAProxy could be told`);
  const version = options.haproxyVersion ?? settings.haproxy.version;
  return { ...settings, haproxy: { ...settings.haproxy, version } };
}

function printed(settings: Settings): string {
  return [
    `# ==== ${SPOE_NAME}: save this as ${DEFAULT_SPOE_PATH} ====\n`,
    spoeFile(settings),
    `\n# ==== ${FRAGMENT_NAME}: copy this into haproxy.cfg ====\n`,
    haproxyFragment(settings),
  ].join('');
}

/** The files name each other by where they are written. */
function written(settings: Settings, folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CliError(EXIT.failed, `--out ${folder} is no folder`);
  const spoePath = resolve(folder, SPOE_NAME);
  const fragmentPath = resolve(folder, FRAGMENT_NAME);
  replaceFile(spoePath, spoeFile(settings));
  replaceFile(fragmentPath, haproxyFragment(settings, spoePath));
  return [spoePath, fragmentPath];
}

/** A reader, such as a reload of HAProxy, finds the old file or the new one, never a part. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' }); // follows no link
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new CliError(EXIT.failed, `${path} cannot be written: ${String(error)}`, { cause: error });
  }
}
