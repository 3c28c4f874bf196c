import { type Action, type Detail, factsOf, isDenied, OPT_IN, withoutNeeds } from './actions.ts';
import { headerOf, isPlainVar, parseSplit, type Vars } from './entry-vars.ts';

/** The parts of a decision that HAProxy's rules can obey. */
export interface Outcome {
  readonly action: Action;
  readonly status?: number | undefined;
  readonly vars?: Vars | undefined;
}

interface Supported extends Outcome {
  readonly status?: number;
  readonly vars?: Vars;
}

/** What HAProxy has rules for, by the configuration. */
export interface Rules {
  readonly actions: readonly string[];
  /** The statuses of denies beside 403. */
  readonly denyStatuses: readonly number[];
  readonly backends: readonly string[];
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

/** A part of an outcome that no rule obeys. */
export interface MissingRule {
  /** `action`, `status`, or the name of a variable. */
  readonly part: string;
  /** `action tarpit`, `status 429`, `backend blue`, `vars.path`. */
  readonly what: string;
  /** The setting that would add the rule. */
  readonly setting: `haproxy.${keyof Rules}`;
}

/** The status of a deny without one. */
export const DEFAULT_DENY_STATUS = 403;

/** The parts of an outcome that no rule obeys, without those that its action ignores anyway. */
export function missingRules({ action, status, vars = {} }: Outcome, rules: Rules): readonly MissingRule[] {
  if (OPT_IN.includes(action) && !rules.actions.includes(action))
    return [{ part: 'action', what: `action ${action}`, setting: 'haproxy.actions' }];
  const { obeys } = factsOf(action);
  const isRuled = status === undefined || status === DEFAULT_DENY_STATUS || rules.denyStatuses.includes(status);
  return [
    ...(isRuled || !isDenied(action) || !obeys.includes('status')
      ? []
      : [{ part: 'status', what: `status ${status}`, setting: 'haproxy.denyStatuses' } as const]),
    ...Object.entries(vars)
      .filter(([name]) => obeys.includes(detailOf(name)))
      .flatMap(([name, value]) => missingForVar(name, value, rules)),
  ];
}

/**
 * The nearest outcome that rules obey: an action that ends a request becomes a deny, and one that lets it pass loses the
 * variables without rules. A split with a backend without a rule is kept, since the backend depends on the client.
 */
export function supported(outcome: Outcome, missing: readonly MissingRule[]): Supported {
  const { action, status, vars = {} } = outcome;
  const isMissing = (part: string) => missing.some((rule) => rule.part === part);
  if (isMissing('action')) return { action: 'deny' };
  const kept = Object.entries(vars).filter(([name]) => name === 'split' || !isMissing(name));
  return {
    action: isMissing('backend') && vars.split === undefined ? withoutNeeds(action) : action,
    ...(status !== undefined && !isMissing('status') && { status }),
    ...(kept.length > 0 && { vars: Object.fromEntries(kept) }),
  };
}

/** A sentence for people: what has no rule, and what HAProxy does instead. */
export function missingRulesText(outcome: Outcome, missing: readonly MissingRule[]): string {
  const settings = [...new Set(missing.map(({ setting }) => setting))].join(', ');
  const without = `HAProxy has no rule for ${missing.map(({ what }) => what).join(', ')} (${settings})`;
  const { action, status } = supported(outcome, missing);
  return `${without}: ${isDenied(action) ? `${action} with ${status ?? DEFAULT_DENY_STATUS}` : `${action} without it`}`;
}

function missingForVar(name: string, value: string, rules: Rules): MissingRule[] {
  const unless = (isRuled: boolean, setting: MissingRule['setting'], what = `vars.${name}`): MissingRule[] =>
    isRuled ? [] : [{ part: name, what, setting }];
  const change = headerOf(name);
  if (change !== undefined) {
    const setting = change.side === 'req' ? 'requestHeaders' : 'responseHeaders';
    return unless(
      rules[setting].some((header) => header.toLowerCase() === change.header),
      `haproxy.${setting}`,
    );
  }
  if (name === 'backend' || name === 'split') {
    const backends = name === 'backend' ? [value] : (parseSplit(value) ?? []).map((way) => way.backend);
    return backends.flatMap((one) => unless(rules.backends.includes(one), 'haproxy.backends', `backend ${one}`));
  }
  const isOptIn = isPlainVar(name) && OPT_IN.includes(name);
  return unless(!isOptIn || rules.actions.includes(name), 'haproxy.actions');
}

/** What the table of actions calls this variable: path and query are changes of the request. */
function detailOf(name: string): Detail {
  if (isPlainVar(name)) return name === 'path' || name === 'query' ? 'req' : name;
  return headerOf(name)?.side === 'res' ? 'res' : 'req';
}
