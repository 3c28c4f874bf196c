import type { MessageSettings } from '../../config/settings.ts';
import { ENGINE } from '../spoe.ts';

/** The rule that sends a group, above those that obey its answer; where it has no condition, only the operator knows. */
export function groupLines({ condition }: MessageSettings, group: string): string[] {
  const send = `http-request send-spoe-group ${ENGINE} ${group} if`;
  return condition === undefined
    ? ['# write the line that sends it here, below what it depends on, such as', `#     ${send} { path_beg /login }`]
    : [`${send} ${condition}`];
}
