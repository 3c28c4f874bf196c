import type { MessageSettings, Settings } from '../../config/settings.ts';
import { VARIABLES } from '../../vocabulary.ts';
import { bothOf } from '../condition.ts';
import { errorVariable, type Reading } from '../reading.ts';

/**
 * What happens where there is no decision; `stop` is the start of a rule. These come first: an error leaves no action
 * behind, but that of an earlier request may still stand in the variables of the connection.
 */
export function unknownRules(settings: Settings, reading: Reading, stop: string): string[] {
  const { message } = reading;
  const error = errorVariable(settings);
  const causes = `# (${error} says why: 1 too late, 2 or 257 no connection, 3 message too large)`;
  if (!isClosed(message))
    return [
      `# ${message.shadow ? 'on trial' : 'policy open'}: a request passes when the agent could not be asked, as no rule below matches then`,
      causes,
    ];
  const stopIf = (test: string) => `${stop} if ${bothOf(message.condition, test)}`;
  return [
    '# policy closed: no request passes when the agent could not be asked',
    causes,
    stopIf(`{ ${error} -m found }`),
    "# nor when it was not asked at all, as after HAProxy's maxerrrate",
    stopIf(`! ${reading.has(VARIABLES.action)}`),
  ];
}

/**
 * HAProxy cannot tell our reasons apart (a dead agent also ends as its timeout), so the default of the policy counts.
 * What is on trial stops nothing.
 */
export function isClosed({ policy, shadow }: MessageSettings): boolean {
  return policy.default === 'closed' && !shadow;
}
