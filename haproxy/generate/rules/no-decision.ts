import type { MessageSettings } from '../../../config/settings.ts';
import { VARIABLES } from '../../variables.ts';
import { type DecisionVariables, errorVariable } from '../decision-variables.ts';
import { sendConditionOf } from '../send-condition.ts';
import { bothConditions } from '../syntax.ts';

/** The starts of the rules that stop a request: when the agent could not be asked, and when the client is to blame. */
export interface Stops {
  readonly unknown: string;
  readonly refused: string;
}

/**
 * The error codes of HAProxy that a client can cause. 3: the message is larger than a frame; 259: larger than the agent
 * accepts. 4 and 5: HAProxy stopped asking because the client had hung up, and goes on with the rules (4 from 3.1, 5
 * before; 255 is what HAProxy has for an error that it cannot name).
 */
export const CLIENT_ERRORS = { too_large: '3 259', client_gone: '4 5 255' } as const;
export type ClientError = keyof typeof CLIENT_ERRORS;

/**
 * What happens without a decision. These rules come first: an error sets no action, but that of an earlier request may
 * still stand in the variables of the connection.
 */
export function noDecisionRules(prefix: string, { message, has }: DecisionVariables, stops: Stops): string[] {
  const error = errorVariable(prefix);
  const { condition } = sendConditionOf(message);
  const stopIf = (stop: string, test: string) => `${stop} if ${bothConditions(condition, test)}`;
  const hasError = (causes: readonly ClientError[]) =>
    `{ ${error} -m int ${causes.map((cause) => CLIENT_ERRORS[cause]).join(' ')} }`;
  const causes = Object.keys(CLIENT_ERRORS) as ClientError[]; // its own keys
  const codes = `# (${error} says why: 1 timeout, 2 or 257 no connection)`;
  if (message.shadow)
    return ['# shadow mode: a request passes whatever is decided, and also when the agent could not be asked', codes];
  const refused = causes.filter((cause) => message.policy[cause] !== 'open');
  const passing = causes.filter((cause) => message.policy[cause] === 'open');
  const refusal =
    refused.length === 0
      ? []
      : [
          '# errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)',
          stopIf(stops.refused, hasError(refused)),
        ];
  if (!isClosed(message))
    return [
      ...refusal,
      '# policy open: a request passes when the agent could not be asked, since no rule below matches then',
      codes,
    ];
  const unless = passing.length === 0 ? '' : ` !${hasError(passing)}`;
  return [
    ...refusal,
    '# policy closed: no request passes when the agent could not be asked',
    codes,
    stopIf(stops.unknown, `{ ${error} -m found }${unless}`),
    "# nor when it was not asked at all, as after HAProxy's maxerrrate",
    stopIf(stops.unknown, `! ${has(VARIABLES.action)}${unless}`),
  ];
}

/**
 * HAProxy cannot tell the agent's reasons apart (a dead agent also ends as its timeout), so the default of the policy
 * applies. A message in shadow mode stops nothing.
 */
export function isClosed({ policy, shadow }: MessageSettings): boolean {
  return policy.default === 'closed' && !shadow;
}
