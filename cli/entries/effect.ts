import { parseSubject } from '../../contract/subject.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { printLine, warn } from '../output/output.ts';

/** From a write to the log of changes, and from a poll to the cache. */
const LATENCY_SECONDS = 1;

/**
 * Prints by when agents with this configuration decide by new entries about clients that they had allowed or denied, and warns
 * of those that never match there.
 */
export async function sayEffect(
  clients: 'allowed' | 'denied',
  subjects: readonly string[],
  options: ConfigOptions,
): Promise<void> {
  const kinds = subjects.map((subject) => parseSubject(subject).kind);
  const ineffective = await warnOfUnaskedKinds(kinds, options);
  if (kinds.every((kind) => ineffective.has(kind))) return;
  const within = await timeUntilEffect(clients, options);
  if (within !== undefined)
    await printLine(`takes effect for ${clients} clients ${within}, on every agent with this configuration`);
}

/** Warns of kinds that no message of the configuration looks up, and returns them: entries about them never match. */
export async function warnOfUnaskedKinds(
  kinds: readonly string[],
  options: ConfigOptions,
): Promise<ReadonlySet<string>> {
  const file = configFile(options);
  if (file === undefined) return new Set();
  const sections = await unlessInvalid(() => readSections(['messages'], options, process.env));
  if (sections === undefined) return new Set();
  const asked = Object.values(sections.messages).flatMap(({ subjects }) => Object.keys(subjects));
  const unasked = new Set(kinds.filter((kind) => !asked.includes(kind)));
  if (unasked.size > 0) {
    const names = [...unasked].join(', ');
    warn(`no message of ${file} looks up ${names}: with this configuration such an entry never matches`);
  }
  return unasked;
}

/**
 * How long the verdict before may still hold: in the agent's cache, then in HAProxy's table, which has only allowed clients.
 * Undefined without a file, and if these sections are invalid.
 */
async function timeUntilEffect(clients: 'allowed' | 'denied', options: ConfigOptions): Promise<string | undefined> {
  if (configFile(options) === undefined) return undefined;
  const sections = await unlessInvalid(() => readSections(['cache', 'haproxy', 'updates'], options, process.env));
  if (sections === undefined) return undefined;
  const { cache, haproxy, updates } = sections;
  const [cachedSeconds, recentSeconds] =
    clients === 'allowed' ? [cache.allowTtlSeconds, haproxy.recentSeconds] : [cache.denyTtlSeconds, 0];
  const within = `within ${cachedSeconds + recentSeconds} s`;
  if (updates.mode === 'off') return within;
  const seconds = LATENCY_SECONDS + Math.ceil(updates.pollMs / 1000) + recentSeconds;
  return `within ${seconds} s while its updates are live, otherwise ${within}`;
}

/** An invalid section must not keep anyone from blocking. */
async function unlessInvalid<Sections>(read: () => Promise<Sections>): Promise<Sections | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.config) return undefined;
    throw error;
  }
}
