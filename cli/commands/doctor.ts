import { readFileSync, statSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type ListenAddress, parseListenAddress } from '../../config/listen-address.ts';
import type { Settings } from '../../config/settings.ts';
import { examine, type Finding } from '../../haproxy/doctor/doctor.ts';
import { type Files, readInstallation } from '../../haproxy/doctor/installation.ts';
import { type ProbeResult, probe } from '../../haproxy/probe/probe.ts';
import { HAPROXY_VERSIONS, type HaproxyVersion } from '../../haproxy/versions.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { addConfigOption, type ConfigOptions, readSettings } from '../options/config-option.ts';
import { haproxyFilesAt } from '../options/haproxy-files.ts';
import { printJson, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { printRow } from '../output/table.ts';

interface DoctorOptions extends ConfigOptions {
  readonly haproxy: string[];
  readonly haproxyVersion?: HaproxyVersion;
  readonly live?: true;
  readonly address?: ListenAddress;
  readonly json?: true;
}

/** Added to the deadline: an agent that is still starting can take longer. */
const PROBE_GRACE_MS = 2000;

/** `haverdict doctor`: finds errors in HAProxy's configuration that keep requests from being checked. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('find what in a haproxy.cfg silently disables protection')
    .requiredOption('--haproxy <file...>', 'the files of HAProxy, in the order of its -f; a folder means its *.cfg');
  return addExamples(
    addConfigOption(command)
      .addOption(
        new Option(
          '--haproxy-version <version>',
          'the HAProxy version (default: haproxy.version of the configuration)',
        ).choices(HAPROXY_VERSIONS),
      )
      .option('--live', 'also ask the running agent, as HAProxy would')
      .option(
        '--address <address>',
        'the agent to ask, instead of all of listen: tcp://HOST:PORT or unix:/PATH',
        readAddress,
      )
      .option('--json', 'print findings and answers as a JSON object')
      .addHelpText(
        'after',
        '\nExit code: 0 no error found (there may be warnings), 1 an error found, no answer, or one by policy, 2 usage, 78 config.',
      )
      .action(doctor),
    'haverdict doctor --haproxy /etc/haproxy/haproxy.cfg',
    'haverdict doctor --haproxy /etc/haproxy/conf.d -c haverdict.yaml --live --json',
  );
}

async function doctor(options: DoctorOptions): Promise<void> {
  const settings = await settingsFor(options);
  const texts = options.haproxy.flatMap(haproxyFilesAt).map((file) => ({ file, text: readFile(file) }));
  const findings = examine(readInstallation(settings, texts, FILES));
  const answers = options.live ? await answersOf(settings, options.address) : [];
  if (options.json) await printJson({ findings, ...(options.live && { live: answers }) });
  else await print(findings, answers, texts.length);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const silent = answers.filter(({ ok }) => !ok).length;
  if (errors + silent > 0) throw new CliError(EXIT.failed, complaint(errors, silent));
}

async function settingsFor(options: DoctorOptions): Promise<Settings> {
  if (options.address !== undefined && !options.live) throw usageError('--address needs --live');
  const settings = await readSettings(options, process.env);
  const version = options.haproxyVersion ?? settings.haproxy.version;
  return { ...settings, haproxy: { ...settings.haproxy, version } };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.failed, `${path} cannot be read: ${String(error)}`, { cause: error });
  }
}

const FILES: Files = {
  read: (path) => {
    try {
      return statSync(path).isFile() ? readFileSync(path, 'utf8') : '';
    } catch {
      return undefined;
    }
  },
  isSocket: (path) => statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false,
};

async function answersOf({ listen, messages, deadlineMs }: Settings, address?: ListenAddress): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const target of address === undefined ? listen : [address])
    results.push(...(await probe(target, messages, deadlineMs + PROBE_GRACE_MS)));
  return results;
}

async function print(findings: readonly Finding[], answers: readonly ProbeResult[], files: number): Promise<void> {
  for (const { severity, id, place, what, why, write } of findings) {
    const at = place.line === undefined ? place.file : `${place.file}:${place.line}`;
    await printRow([severity, id], [7]);
    for (const [name, text] of Object.entries({ where: at, what, why, write }))
      await printRow(['', name, text], [2, 5]);
    await printLine('');
  }
  if (findings.length === 0) await printLine(`no finding in ${plural(files, 'file')}`);
  if (answers.length === 0) return;
  const width = (cell: (answer: ProbeResult) => string) => Math.max(...answers.map((answer) => cell(answer).length));
  const widths = [6, width(({ address }) => address), width(({ step }) => step), width(({ ms }) => `${ms} ms`)];
  for (const { ok, address, step, ms, what } of answers)
    await printRow([ok ? 'ok' : 'failed', address, step, `${ms} ms`, what], widths);
}

function complaint(errors: number, silent: number): string {
  const parts = [
    ...(errors > 0 ? [`${plural(errors, 'error')} in the configuration of HAProxy`] : []),
    ...(silent > 0 ? [`${silent} of the agent's answers missing, wrong or not from the function`] : []),
  ];
  return parts.join(', ');
}

function readAddress(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address === undefined)
    throw usageError(
      `"${text}" is not a valid address: write it like tcp://127.0.0.1:9000 or unix:/run/haverdict/agent.sock`,
    );
  return address;
}
