import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Of these, all test files run in one process: most of them take longer to load than to run, and load the same. */
const FOLDERS = [
  ...['test/contract', 'test/blocklist', 'test/blocklist/dynamodb', 'test/config', 'test/spop'],
  ...['test/functions/check', 'test/infra', 'test/infra/constructs'],
  ...['test/agent/admin', 'test/agent/admin/socket', 'test/agent/backend', 'test/agent/decision'],
  ...['test/agent/lifecycle', 'test/agent/server', 'test/agent/state'],
  ...['test/cli', 'test/cli/guards', 'test/cli/help', 'test/cli/options', 'test/cli/output'],
  ...['test/cli/bulk', 'test/cli/cost', 'test/cli/explain', 'test/cli/formats', 'test/cli/top'],
  ...['test/cli/source'],
];

/** In place of the files of such a folder, one that imports them all; it is written to `cache`. */
export function inFolders(files: readonly string[], root: string, cache: string): string[] {
  mkdirSync(cache, { recursive: true });
  const folders = Map.groupBy(files, (file) => (FOLDERS.includes(dirname(file)) ? dirname(file) : file));
  return [...folders].map(([folder, files]) => {
    if (files[0] === folder) return folder;
    const entry = join(cache, `${folder.replaceAll('/', '-')}.mjs`);
    writeFileSync(entry, files.map((file) => `import ${JSON.stringify(join(root, file))};\n`).join(''));
    return entry;
  });
}

/** How a file that is written here is told of. */
export function folderOf(entry: string): string | undefined {
  return FOLDERS.find((folder) => basename(entry) === `${folder.replaceAll('/', '-')}.mjs`);
}
