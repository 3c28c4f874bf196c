import { loadSettings } from '../../agent/config/load.ts';
import type { Settings } from '../../agent/config/settings.ts';

/** The default settings, with these instead. */
export function settingsWith(changes: Partial<Settings>): Settings {
  return { ...loadSettings(undefined, { HAVERDICT_BACKEND_URL: 'http://127.0.0.1:8787' }), ...changes };
}
