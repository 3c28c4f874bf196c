import { loadSettings } from '../../config/load.ts';
import type { MessageSettings, Settings } from '../../config/settings.ts';

type Given<T, Optional extends keyof T> = Omit<T, Optional> & Partial<Pick<T, Optional>>;

export interface Changes extends Omit<Partial<Settings>, 'haproxy' | 'messages'> {
  readonly haproxy?: Partial<Settings['haproxy']>;
  readonly messages?: readonly Given<MessageSettings, 'arguments' | 'shadow' | 'required' | 'oddPaths'>[];
}

/** The default settings, with these instead. */
export function settingsWith({ haproxy, messages, ...changes }: Changes): Settings {
  const settings = loadSettings(undefined, { HAVERDICT_BACKEND_URL: 'http://127.0.0.1:8787' });
  return {
    ...settings,
    ...changes,
    haproxy: { ...settings.haproxy, ...haproxy },
    messages:
      messages?.map((message) => ({ arguments: [], shadow: false, required: [], oddPaths: 'refuse', ...message })) ??
      settings.messages,
  };
}
