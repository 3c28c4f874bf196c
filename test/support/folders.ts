import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * All test files of such a group of folders run in one process: most of them take longer to load than to run, and load
 * the same. A folder that is in none has a process for each file.
 */
const GROUPS: readonly (readonly string[])[] = [
  ['test/agent', 'test/agent/admin', 'test/agent/admin/socket', 'test/agent/lifecycle', 'test/agent/server'],
  ['test/agent/scripts', 'test/agent/scripts/child', 'test/agent/state', 'test/fuzz', 'test/spop'],
  ['test/agent/backend', 'test/agent/mirror', 'test/agent/updates'],
  ['test/agent/decision'],
  ['test/blocklist', 'test/blocklist/dynamodb', 'test/updates', 'test/updates/dynamodb'],
  ['test/cli', 'test/cli/access-log', 'test/cli/agent-client', 'test/cli/bulk', 'test/cli/cost', 'test/cli/explain'],
  ['test/cli/formats', 'test/cli/guards', 'test/cli/help', 'test/cli/lint', 'test/cli/options', 'test/cli/output'],
  ['test/cli/replay', 'test/cli/revert', 'test/cli/source', 'test/cli/top', 'test/config'],
  ['test/cli/commands'],
  ['test/contract', 'test/contract/kinds', 'test/functions/check', 'test/functions/update-writer'],
  ['test/dev/demo', 'test/dev/local-cloud'],
  ['test/haproxy/doctor', 'test/haproxy/generate', 'test/haproxy/parse', 'test/haproxy/probe'],
  ['test/infra', 'test/infra/constructs'],
  ['test/packaging'],
];

/** In place of the files of such a group, one that imports them all; it is written to `cache`. */
export function inFolders(files: readonly string[], root: string, cache: string): string[] {
  mkdirSync(cache, { recursive: true });
  const processes = Map.groupBy(files, (file) => GROUPS.find((group) => group.includes(dirname(file))) ?? file);
  return [...processes].map(([group, files]) => {
    if (typeof group === 'string') return group;
    const entry = join(cache, entryOf(group));
    writeFileSync(entry, files.map((file) => `import ${JSON.stringify(join(root, file))};\n`).join(''));
    return entry;
  });
}

/** The folders whose files an entry that is written here imports. */
export function foldersOf(entry: string): readonly string[] | undefined {
  return GROUPS.find((group) => entryOf(group) === basename(entry));
}

function entryOf(group: readonly string[]): string {
  return `${(group[0] ?? '').replaceAll('/', '-')}.mjs`;
}
