import type { BlocklistSettings } from '../../config/blocklist-schema.ts';
import { type ConfigOptions, readSections } from './config-option.ts';

/** The section `blocklist` of the agent's file; nothing else of the file has to be right. */
export async function readBlocklistSettings(
  options: ConfigOptions,
  env: NodeJS.ProcessEnv,
): Promise<BlocklistSettings> {
  return (await readSections(['blocklist'], options, env)).blocklist;
}
