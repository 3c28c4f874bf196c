import { CliError, EXIT } from '../exit/cli-error.ts';
import { type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { printLine } from '../output/output.ts';

/** From a write to the log of changes, and from a poll to the cache. */
const LATENCY_SECONDS = 1;

/** Prints by when agents with this configuration decide by a new entry about clients that they had allowed or denied. */
export async function sayEffect(clients: 'allowed' | 'denied', options: ConfigOptions): Promise<void> {
  const within = await timeUntilEffect(clients, options);
  if (within !== undefined)
    await printLine(`takes effect for ${clients} clients ${within}, on every agent with this configuration`);
}

/**
 * How long the verdict before may still hold: in the agent's cache, then in HAProxy's table, which has only allowed clients.
 * Undefined without a file, and if these sections are invalid, which must not keep anyone from blocking.
 */
async function timeUntilEffect(clients: 'allowed' | 'denied', options: ConfigOptions): Promise<string | undefined> {
  if (configFile(options) === undefined) return undefined;
  try {
    const { cache, haproxy, updates } = await readSections(['cache', 'haproxy', 'updates'], options, process.env);
    const [cachedSeconds, recentSeconds] =
      clients === 'allowed' ? [cache.allowTtlSeconds, haproxy.recentSeconds] : [cache.denyTtlSeconds, 0];
    const within = `within ${cachedSeconds + recentSeconds} s`;
    if (updates.mode === 'off') return within;
    const seconds = LATENCY_SECONDS + Math.ceil(updates.pollMs / 1000) + recentSeconds;
    return `within ${seconds} s while its updates are live, otherwise ${within}`;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.config) return undefined;
    throw error;
  }
}
