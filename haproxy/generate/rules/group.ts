import type { MessageSettings } from '../../../config/settings.ts';
import { askedFor } from '../asked.ts';
import { ENGINE } from '../spoe.ts';

/** The rule that sends a group, above those that obey its answer; where it has no condition, only the operator knows. */
export function groupLines(message: MessageSettings, group: string): string[] {
  const { condition } = askedFor(message);
  const send = `http-request send-spoe-group ${ENGINE} ${group} if`;
  return condition === undefined
    ? ['# write the line that sends it here, below what it depends on, such as', `#     ${send} { method POST }`]
    : [`${send} ${condition}`];
}
