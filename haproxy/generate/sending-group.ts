import type { HaproxySettings, MessageSettings } from '../../config/settings.ts';
import { isAboutAddressAlone, RECENT_GROUP } from '../recent.ts';

type Recent = Pick<HaproxySettings, 'recentSeconds'>;

/** Whether HAProxy allows recent addresses without sending this message. */
export function skipsRecent({ recentSeconds }: Recent, message: MessageSettings): boolean {
  const { event, group, subjects, arguments: given } = message;
  const kinds = subjects.map(({ kind }) => kind);
  return recentSeconds > 0 && isAboutAddressAlone({ event, group, kinds, argumentCount: given.length });
}

/** The group with which a rule sends this message; undefined if HAProxy sends it at its event. */
export function sendingGroup(haproxy: Recent, message: MessageSettings): string | undefined {
  return message.group ?? (skipsRecent(haproxy, message) ? RECENT_GROUP : undefined);
}
