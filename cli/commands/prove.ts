import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { formatSubject } from '../../contract/subject.ts';
import { askAgent } from '../agent-client/agent-client.ts';
import { addSocketPathOption } from '../agent-client/socket-option.ts';
import { actor } from '../entries/actor.ts';
import { registerList } from '../entries/register-list.ts';
import { editOfPut, editOfRemoval, newRunId } from '../entries/run.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { interruption } from '../exit/interrupt.ts';
import { lookedUpInstead } from '../guards/ipv6-prefix.ts';
import { protectedSet } from '../guards/protected.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readList, readSubject } from '../options/arguments.ts';
import { addConfigOption, type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { parseDuration } from '../options/duration.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { obstacleAtAgent, obstacleIn, type ProofSections } from '../prove/obstacle.ts';
import { entryOf, type Proof, prove } from '../prove/proof.ts';
import { readUrl, visit } from '../prove/visitor.ts';

interface ProveOptions extends TableOptions, ConfigOptions {
  readonly from?: string;
  readonly list: string;
  readonly limit?: number;
  readonly insecure?: true;
  readonly socket?: string;
  readonly json?: true;
}

/** For a last answer, beyond what caches keep. */
const GRACE_SECONDS = 5;

export function proveCommand(): Command {
  const command = new Command('prove')
    .description('deny an address for a moment, and measure when a frontend refuses it and lets it pass again')
    .argument('<url>', 'where the frontend listens: a request that passes has any status but 403 and 503', readUrl)
    .option('--from <address>', 'the address of this host to send from (default: one of 127.0.0.0/8 that nobody has)')
    .option('--list <name>', 'the list to write to', readList, DEFAULT_LIST)
    .option(
      '--limit <duration>',
      'give up after this (default: what the caches of the configuration keep)',
      parseDuration,
    )
    .option('--insecure', 'do not check the certificate of the frontend')
    .option('--json', 'print a JSON object');
  addSocketPathOption(addTableOptions(addConfigOption(command)));
  return addExamples(
    command,
    'haverdict prove http://127.0.0.1/',
    'haverdict prove https://shop.example/ --from 198.51.100.7 --limit 10s',
  ).action(proveFrontend);
}

async function proveFrontend(url: URL, options: ProveOptions): Promise<void> {
  const {
    ipv6Prefix,
    blocklist: settings,
    ...sections
  } = await readSections(
    ['lists', 'shadowLists', 'messages', 'cache', 'haproxy', 'admin', 'blocklist', 'ipv6Prefix'],
    options,
    process.env,
  );
  const from = options.from ?? unusedAddress();
  const limits = limitsOf(options, sections);
  const entry = entryOf(
    subjectOf(from, ipv6Prefix),
    options.list,
    actor(),
    Date.now(),
    limits.refusedMs + limits.passedMs,
  );
  const problem = isSpare(from) ? undefined : protectedSet(settings, process.env).problemOf(entry);
  if (problem !== undefined) throw usageError(`${problem}; --from chooses another address of this host`);
  const obstacle = configFile(options) === undefined ? undefined : obstacleIn(sections, entry);
  if (obstacle !== undefined) throw new CliError(EXIT.failed, obstacle);
  const table = await openBlocklist(options);
  if ((await table.bulk.read([entry])).length > 0)
    throw usageError(`${entry.subject} is in list ${entry.list} already`);
  const { signal, dispose } = interruption();
  try {
    const socket = options.socket ?? sections.admin.socket;
    const proof = await prove({
      visit: () => visit(url, from, options.insecure === true),
      put: () => put(table, entry),
      remove: () => remove(table, entry),
      whyNotRefused: () => whyNotRefused(socket, entry),
      now: () => performance.now(),
      pause: (ms) => pause(ms),
      signal,
      limits,
    });
    await print(proof, entry, options);
  } finally {
    dispose();
  }
}

/** Without a configuration the defaults of the agents count. */
function limitsOf({ limit }: ProveOptions, { cache, haproxy }: Pick<ProofSections, 'cache' | 'haproxy'>) {
  const refusedSeconds = limit ?? cache.allowTtlSeconds + haproxy.recentSeconds + GRACE_SECONDS;
  return { refusedMs: refusedSeconds * 1000, passedMs: (limit ?? cache.denyTtlSeconds + GRACE_SECONDS) * 1000 };
}

/** Any address of 127.0.0.0/8 can be the source of a connection within a host. */
function unusedAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(2, 255)}`;
}

/** Protected as loopback, but nobody's: programs of this host use 127.0.0.1, and resolvers 127.0.0.53. */
function isSpare(from: string): boolean {
  return from.startsWith('127.') && !from.startsWith('127.0.0.');
}

function subjectOf(from: string, ipv6Prefix: number): string {
  if (isIP(from) === 0) throw usageError(`--from "${from}" is not an address: use one that this host has`);
  const subject = formatSubject(readSubject(from));
  const instead = lookedUpInstead(subject, ipv6Prefix);
  if (instead === undefined) return subject;
  throw usageError(
    `the agents look up ${instead} for ${from} (ipv6Prefix), and to deny all of it is no proof: use an IPv4 address`,
  );
}

async function put(table: Blocklist, entry: StoredEntry): Promise<void> {
  const { list, subject, action, createdBy = '', createdAt = '', expiresAt = 0, reason = '' } = entry;
  await registerList(table, list, createdBy, createdAt);
  await table.history.record(
    {
      ...{ list, change: 'put', at: createdAt, by: createdBy, action, until: expiresAt, why: reason },
      ...{ subjects: [subject], run: newRunId() },
    },
    { edits: [editOfPut(entry, undefined)] },
  );
  await table.entries.put(entry);
}

async function remove(table: Blocklist, entry: StoredEntry): Promise<void> {
  const { list, subject, createdBy = '', reason = '' } = entry;
  const at = new Date().toISOString();
  await table.history.record(
    { list, change: 'remove', at, by: createdBy, why: reason, subjects: [subject], run: newRunId() },
    { edits: [editOfRemoval(entry)] },
  );
  await table.entries.remove({ subject, list });
}

async function whyNotRefused(socket: string | undefined, { subject }: StoredEntry): Promise<string> {
  if (socket === undefined)
    return 'the agents keep what they allowed for cache.allowTtlSeconds, or HAProxy does not ask them (haverdict doctor); with --socket, or admin.socket in -c, the agent is asked why';
  try {
    return obstacleAtAgent(await askAgent(socket, { command: 'explain', subjects: [subject] }));
  } catch (error) {
    if (error instanceof CliError) return `${error.message}: is the agent down, and the policy open?`;
    throw error;
  }
}

async function print(proof: Proof, { subject, list }: StoredEntry, { json }: ProveOptions): Promise<void> {
  if (json) return printJson({ subject, list, ...proof });
  const { usualStatus, refusedAfterMs, passedAfterMs } = proof;
  await printLine(`${subject} got ${usualStatus}`);
  await printLine(`blocked in list ${list}: 403 after ${seconds(refusedAfterMs)}`);
  await printLine(`removed: ${usualStatus} after ${seconds(passedAfterMs)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
