import type { HaproxySettings, MessageSettings } from '../../config/settings.ts';
import { isAboutAddressAlone, RECENT_GROUP } from '../recent.ts';

type RememberingSettings = Pick<HaproxySettings, 'recentSeconds'>;

/** Are those who passed this message remembered? */
export function isRemembered({ recentSeconds }: RememberingSettings, message: MessageSettings): boolean {
  const { event, group, subjects, arguments: given } = message;
  const kinds = subjects.map(({ kind }) => kind);
  return recentSeconds > 0 && isAboutAddressAlone({ event, group, kinds, argumentCount: given.length });
}

/** The group by which a rule sends this message; undefined for one that is sent at its event. */
export function sendingGroup(haproxy: RememberingSettings, message: MessageSettings): string | undefined {
  return message.group ?? (isRemembered(haproxy, message) ? RECENT_GROUP : undefined);
}
