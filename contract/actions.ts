import { PLAIN_VARS, type PlainVar } from './entry-vars.ts';

/** The statuses a deny can have; HAProxy wants a literal there, so the wiring has one rule for each. */
export const DENY_STATUSES = [400, 401, 403, 404, 405, 408, 410, 413, 429, 451, 500, 502, 503, 504] as const;

/** The statuses a redirect can have. */
export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;

/** What an entry can say beside its action: a status, a variable, or changes of requests (`req`) and responses (`res`). */
export type Detail = 'status' | Exclude<PlainVar, 'path' | 'query'> | 'req' | 'res';

interface ActionFacts {
  /** The effect on the request. A `denied` one is counted and recorded as a deny. */
  readonly request: 'passes' | 'denied' | 'redirected';
  /** Of the entries for one subject the one with the lowest rank wins. */
  readonly rank: 0 | 1 | 2;
  /**
   * The statuses an entry may have. An action without a status of its own takes that of a deny and ignores it: an entry
   * rejected for it would block, or exempt, nobody.
   */
  readonly statuses: readonly number[];
  /** The details that have an effect. */
  readonly obeys: readonly Detail[];
  /** An entry needs at least one of these variables. */
  readonly needs: readonly (Detail & PlainVar)[];
  readonly isConfirmed: boolean;
}

const PASSES = { request: 'passes', rank: 1, statuses: DENY_STATUSES, needs: [], isConfirmed: false } as const;
const DENIES = { ...PASSES, request: 'denied' } as const;

/** Everything that differs between actions. Code that depends on the action derives from this, or does not compile. */
export const ACTION_FACTS = {
  allow: { ...PASSES, rank: 0, obeys: ['req', 'res'], isConfirmed: true },
  deny: { ...DENIES, obeys: ['status', 'body', 'res'] },
  tarpit: { ...DENIES, obeys: ['status', 'res'] },
  drop: { ...DENIES, obeys: [] },
  redirect: {
    ...{ request: 'redirected', rank: 1, statuses: REDIRECT_STATUSES, isConfirmed: true },
    ...{ obeys: ['status', 'location', 'res'], needs: ['location'] },
  },
  route: { ...PASSES, obeys: ['backend', 'split', 'req', 'res'], needs: ['backend', 'split'] },
  tag: { ...PASSES, obeys: ['req', 'res'] },
  /** Also the answer for an entry of a shadow list: it accepts every status that the entry's own action can have. */
  log: { ...PASSES, rank: 2, statuses: [...DENY_STATUSES, ...REDIRECT_STATUSES], obeys: [] },
} as const satisfies Record<string, ActionFacts>;

/** What an entry can make HAProxy do. */
export type Action = keyof typeof ACTION_FACTS;
export const ACTIONS = Object.keys(ACTION_FACTS) as readonly Action[];

export function isAction(value: unknown): value is Action {
  return typeof value === 'string' && Object.hasOwn(ACTION_FACTS, value);
}

export function factsOf(action: Action): ActionFacts {
  return ACTION_FACTS[action];
}

/** Whether the request, as the client sent it, reaches no server. */
export function endsRequest(action: Action): boolean {
  return ACTION_FACTS[action].request !== 'passes';
}

/** Whether the client gets an error at most. */
export function isDenied(action: Action): boolean {
  return ACTION_FACTS[action].request === 'denied';
}

/**
 * What HAProxy has rules for only where the configuration names it (`haproxy.actions`): each action that ends a request but
 * a deny, and each variable that no action needs. Without such rules an action becomes a deny, and a variable is left out.
 */
export const OPT_IN: readonly (Action | PlainVar)[] = [
  ...ACTIONS.filter((action) => endsRequest(action) && action !== 'deny'),
  ...PLAIN_VARS.filter((name) => !ACTIONS.some((action) => factsOf(action).needs.some((need) => need === name))),
];

export const DENYING_ACTIONS: readonly Action[] = ACTIONS.filter(isDenied);

/** Whether a person must confirm that a known source starts to use it: it lets clients pass or sends them elsewhere. */
export function isConfirmed(action: Action): boolean {
  return ACTION_FACTS[action].isConfirmed;
}

/** The replacement for an action whose variables cannot be sent: what ends a request still ends it. */
export function withoutNeeds(action: Action): Action {
  if (factsOf(action).needs.length === 0) return action;
  return endsRequest(action) ? 'deny' : 'tag';
}
