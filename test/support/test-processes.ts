import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Scope } from './scope.ts';

/** One process of a test run. */
export interface TestProcess {
  /** The file that it runs. */
  readonly entry: string;
  /** What that imports, or is: the test files, from the root. */
  readonly files: readonly string[];
  readonly title: string;
}

interface Group {
  readonly folders: readonly string[];
  /** Among so many its files are divided, one without it; outside the usual scope they take so long that each has its own. */
  readonly processes?: number;
}

/**
 * All test files of such folders run in one process, or a few: most of them take longer to load than to run, and load the
 * same. A file of another folder has a process of its own.
 */
const GROUPS: readonly Group[] = [
  { folders: ['test'] },
  { folders: ['test/integration'], processes: 4 },
  { folders: ['test/e2e'], processes: 6 },
  {
    folders: ['test/agent', 'test/agent/admin', 'test/agent/admin/socket', 'test/agent/lifecycle', 'test/agent/server'],
  },
  { folders: ['test/agent/scripts', 'test/agent/scripts/child', 'test/agent/state', 'test/fuzz'] },
  { folders: ['test/agent/backend', 'test/agent/mirror', 'test/agent/updates'] },
  { folders: ['test/agent/decision'] },
  { folders: ['test/blocklist', 'test/blocklist/dynamodb', 'test/updates', 'test/updates/dynamodb'] },
  {
    folders: [
      'test/cli',
      'test/cli/access-log',
      'test/cli/agent-client',
      'test/cli/bulk',
      'test/cli/conformance',
      'test/cli/console',
      'test/cli/cost',
      'test/cli/explain',
    ],
  },
  {
    folders: [
      'test/cli/formats',
      'test/cli/guards',
      'test/cli/help',
      'test/cli/lint',
      'test/cli/options',
      'test/cli/output',
    ],
  },
  {
    folders: [
      'test/cli/replay',
      'test/cli/revert',
      'test/cli/source',
      'test/cli/top',
      'test/cli/wiring',
      'test/config',
    ],
  },
  { folders: ['test/cli/commands'], processes: 2 },
  { folders: ['test/contract', 'test/contract/kinds', 'test/functions/check', 'test/functions/update-writer'] },
  { folders: ['test/dev', 'test/dev/demo', 'test/dev/local-cloud', 'test/dev/stack'] },
  { folders: ['test/haproxy/doctor', 'test/haproxy/generate', 'test/haproxy/parse', 'test/haproxy/probe'] },
  { folders: ['test/infra', 'test/infra/constructs', 'test/infra/deployment'] },
  { folders: ['test/packaging'] },
  { folders: ['test/spop', 'test/spop/agent', 'test/spop/server'] },
];

/** The processes that run these files; where it is several files, `cache` gets one that imports them. */
export function testProcesses(files: readonly string[], scope: Scope, root: string, cache: string): TestProcess[] {
  mkdirSync(cache, { recursive: true });
  const groups = Map.groupBy(files, (file) => GROUPS.find(({ folders }) => folders.includes(dirname(file))) ?? file);
  return [...groups].flatMap(([group, files]) => {
    if (typeof group === 'string') return [processOf(group)];
    const { folders } = group;
    const processes = scope !== 'usual' && group.processes !== undefined ? files.length : (group.processes ?? 1);
    if (processes === files.length) return files.map(processOf);
    return Array.from({ length: Math.min(processes, files.length) }, (_, part): TestProcess => {
      const own = files.filter((_, at) => at % processes === part);
      const ofSeveral = processes > 1 ? ` ${part + 1}/${processes}` : '';
      const title = folders.join(', ') + ofSeveral;
      const entry = join(cache, `${title.replaceAll(/[^a-z0-9]+/g, '-')}.mjs`);
      writeFileSync(entry, own.map((file) => `import ${JSON.stringify(join(root, file))};\n`).join(''));
      return { entry, files: own, title };
    });
  });
}

/** A process for one file. */
export function processOf(file: string): TestProcess {
  return { entry: file, files: [file], title: file };
}
