import type { MessageSettings } from '../../config/settings.ts';
import { holds, testsOf, type Values } from '../parse/condition.ts';
import type { ProxySection } from '../parse/proxy.ts';
import type { Rule, Ruleset } from '../parse/rules.ts';
import { VARIABLES } from '../variables.ts';
import type { Filter, Installation } from './installation.ts';
import { isDynamic, targetsOf } from './passage.ts';
import { HAPROXY_NAMES, messageOf, NAMES } from './variable-names.ts';
import { ownVariablesIn, type Prefixes, parseOwnVariable, readVariables, setsOwnVariable } from './variable-reads.ts';

/** Values of the variables of one message and of HAProxy's own, by name; all other variables are unset. */
export interface Scenario {
  readonly message: MessageSettings;
  readonly values: Readonly<Record<string, string | null>>;
}

/** How many requests in this scenario are stopped. */
export type Stopped = 'all' | 'some' | 'none';

const STOPS = /^(deny|reject|tarpit|silent-drop|return|redirect|use-service|lua\..*|location|prefix|scheme)$/;

/**
 * What the rules that depend on the agent do in this scenario, in the section of the filter and in the backends behind it.
 * Other rules do not count, nor does the order: rules that keep ours from their turn are findings of their own.
 */
export function stoppedBy(
  filter: Filter,
  installation: Installation,
  rulesets: readonly Ruleset[],
  scenario: Scenario,
): Stopped {
  const here = stoppedIn(filter.proxy, rulesets, scenario, installation);
  if (here === 'all') return 'all';
  const targets = targetsOf(filter.proxy);
  const behind = installation.config.proxies
    .filter(({ kind, name }) => kind !== 'frontend' && targets.includes(name))
    .map((proxy) => stoppedIn(proxy, rulesets, scenario, installation));
  if (behind.length > 0 && !isDynamic(filter.proxy) && behind.every((stopped) => stopped === 'all')) return 'all';
  return [here, ...behind].some((stopped) => stopped !== 'none') ? 'some' : 'none';
}

/** The rules of this section that depend on the agent and stop requests in this scenario, whatever else is true of them. */
export function stoppingRules(
  proxy: ProxySection,
  rulesets: readonly Ruleset[],
  scenario: Scenario,
  installation: Installation,
): Rule[] {
  return enforcingRules(proxy, rulesets, installation.prefixes).filter(
    (rule) =>
      !setsIntermediateVariable(rule, proxy) &&
      holds(rule.condition, proxy.acls, valuesOf(scenario, installation)) === true,
  );
}

function stoppedIn(
  proxy: ProxySection,
  rulesets: readonly Ruleset[],
  scenario: Scenario,
  installation: Installation,
): Stopped {
  const truths = enforcingRules(proxy, rulesets, installation.prefixes).map(({ condition, args }) => {
    const applies = holds(condition, proxy.acls, valuesOf(scenario, installation));
    // where the location is empty, such a redirect does nothing
    return applies && args.includes('ignore-empty') ? undefined : applies;
  });
  if (truths.includes(true)) return 'all';
  return truths.includes(undefined) ? 'some' : 'none';
}

/** The rules of this section that depend on the agent and can stop a request. */
export function enforcingRules(proxy: ProxySection, rulesets: readonly Ruleset[], prefixes: Prefixes): Rule[] {
  return proxy.rules.filter(
    (rule) =>
      rulesets.includes(rule.ruleset) &&
      !setsOwnVariable(rule, prefixes) &&
      (rule.ruleset === 'use_backend' || STOPS.test(rule.action) || setsIntermediateVariable(rule, proxy)) &&
      ownVariablesIn(rule, proxy.acls, prefixes).length > 0,
  );
}

/** Whether it sets a variable of the operator's that a stopping rule reads. */
function setsIntermediateVariable({ action }: Rule, { rules, acls }: ProxySection): boolean {
  const [, variable] = /^set-var(?:-fmt)?\(([\w.]+)/.exec(action) ?? [];
  if (variable === undefined) return false;
  return rules.some(
    (rule) => STOPS.test(rule.action) && readVariables(testsOf(rule.condition, acls).flat()).includes(variable),
  );
}

/** A variable that no message sets counts as one of this message: that it is never set is another finding. */
function valuesOf({ message, values }: Scenario, { settings, prefixes }: Installation): Values {
  return (variable) => {
    const own = parseOwnVariable(variable, prefixes);
    if (own === undefined) return undefined;
    if ((messageOf(settings, own) ?? message) === message || isOfHaproxy(own.name, values))
      return own.name in values || NAMES.includes(own.name) ? values[own.name] : null;
    return own.name === VARIABLES.action ? 'allow' : null;
  };
}

function isOfHaproxy(name: string, values: Scenario['values']): boolean {
  return HAPROXY_NAMES.includes(name) || (name in values && name !== VARIABLES.action && name !== VARIABLES.status);
}
