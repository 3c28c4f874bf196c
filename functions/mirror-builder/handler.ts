import type { Log as WriteLog } from '../../blocklist/invalid-entry-log.ts';
import { type Built, build, type Told } from '../../updates/builder.ts';
import type { BuilderDeps } from '../../updates/building.ts';

export interface BuilderFunctionDeps extends BuilderDeps {
  readonly report: WriteLog;
  measure(built: Built, nowMs: number): void;
}

/** The handler of the schedule. What failed is tried again a minute later. */
export function createBuilder(deps: BuilderFunctionDeps): () => Promise<void> {
  return async () => {
    try {
      const built = await build(deps);
      deps.measure(built, deps.clock());
      for (const told of built.told) deps.report(...lineOf(told));
    } catch (error) {
      deps.report('error', 'mirror builder failed, it runs again', { problem: String(error) });
      throw error;
    }
  };
}

function lineOf(told: Told): Parameters<WriteLog> {
  switch (told.what) {
    case 'mirror':
      return ['info', 'mirror made', { why: told.why, entries: told.entries, segments: told.segments }];
    case 'canaries':
      return ['info', 'canaries found', { canaries: told.canaries }];
    case 'differences':
      return ['warn', 'updates differ from the table', { keys: told.keys, isRepair: told.isRepair }];
    case 'too large':
      return ['warn', 'no mirror: the table is too large', {}];
    case 'too many lists':
      return ['warn', 'no checkpoint: the table has too many lists', {}];
    case 'unfinished':
      return ['warn', 'task of the mirror builder not finished, it runs again', { task: told.task, why: told.why }];
  }
}
