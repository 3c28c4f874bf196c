import type { MessageSettings, Settings } from '../../../config/settings.ts';
import { VARIABLES } from '../../vocabulary.ts';
import { askedFor } from '../asked.ts';
import { bothOf } from '../condition.ts';
import { errorVariable, type Reading } from '../reading.ts';

/** The starts of rules that stop: for what the agent could not be asked, and for what the client made of it. */
export interface Stops {
  readonly unknown: string;
  readonly refused: string;
}

/**
 * The errors of HAProxy that a client can cause. 3: the message is larger than a frame; 259: larger than the agent takes.
 * 4 and 5: HAProxy gave up asking as the client had hung up, and goes on with the rules (4 from 3.1, 5 before; 255 is
 * what HAProxy has for an error that it cannot name).
 */
export const CAUSES = { too_large: '3 259', client_gone: '4 5 255' } as const;
export type Cause = keyof typeof CAUSES;

/**
 * What happens where there is no decision. These come first: an error leaves no action
 * behind, but that of an earlier request may still stand in the variables of the connection.
 */
export function unknownRules(settings: Settings, reading: Reading, stops: Stops): string[] {
  const { message } = reading;
  const error = errorVariable(settings);
  const { condition } = askedFor(message);
  const stopIf = (stop: string, test: string) => `${stop} if ${bothOf(condition, test)}`;
  const errors = (causes: readonly Cause[]) => `{ ${error} -m int ${causes.map((cause) => CAUSES[cause]).join(' ')} }`;
  const causes = Object.keys(CAUSES) as Cause[]; // its own keys
  const told = `# (${error} says why: 1 too late, 2 or 257 no connection)`;
  if (message.shadow)
    return [`# on trial: a request passes whatever is decided, and when the agent could not be asked`, told];
  const refused = causes.filter((cause) => message.policy[cause] !== 'open');
  const passing = causes.filter((cause) => message.policy[cause] === 'open');
  const refusal =
    refused.length === 0
      ? []
      : [
          '# no failure, as the client causes it: a message larger than a frame (3, 259), or it hung up (4, 5, 255)',
          stopIf(stops.refused, errors(refused)),
        ];
  if (!isClosed(message))
    return [
      ...refusal,
      '# policy open: a request passes when the agent could not be asked, as no rule below matches then',
      told,
    ];
  const unless = passing.length === 0 ? '' : ` !${errors(passing)}`;
  return [
    ...refusal,
    '# policy closed: no request passes when the agent could not be asked',
    told,
    stopIf(stops.unknown, `{ ${error} -m found }${unless}`),
    "# nor when it was not asked at all, as after HAProxy's maxerrrate",
    stopIf(stops.unknown, `! ${reading.has(VARIABLES.action)}${unless}`),
  ];
}

/**
 * HAProxy cannot tell our reasons apart (a dead agent also ends as its timeout), so the default of the policy counts.
 * What is on trial stops nothing.
 */
export function isClosed({ policy, shadow }: MessageSettings): boolean {
  return policy.default === 'closed' && !shadow;
}
