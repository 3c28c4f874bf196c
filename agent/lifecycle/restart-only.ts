import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../config/settings.ts';

/** The settings that a process uses only when it starts. */
const RESTART_ONLY = ['workers', 'admin', 'memory'] as const satisfies readonly (keyof Settings)[];

/** The names of the changed settings that no reload applies. */
export function changedForRestart(started: Settings, wanted: Settings): readonly string[] {
  return RESTART_ONLY.filter((name) => !isDeepStrictEqual(started[name], wanted[name]));
}

/** The wanted settings with those that the process started with where no reload applies them. */
export function withoutRestartOnly(started: Settings, wanted: Settings): Settings {
  const { workers, admin, memory } = started;
  return { ...wanted, workers, admin, memory };
}
