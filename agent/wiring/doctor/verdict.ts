import { holds, testsOf, type Values } from '../haproxy/condition.ts';
import type { ProxySection } from '../haproxy/proxy.ts';
import type { Rule, Ruleset } from '../haproxy/rules.ts';
import { isDynamic, targetsOf } from './filter-checks.ts';
import type { Filter, Installation } from './installation.ts';
import { NAMES, ownVariable, ownVariablesOf, type Prefixes, readVariables } from './variables.ts';

/** What our variables hold, by name; null is not set, and a name that is not there is not known. */
export type State = Readonly<Record<string, string | null>>;

/** How many requests in this state are stopped. */
export type Stopped = 'all' | 'some' | 'none';

const STOPS = /^(deny|reject|tarpit|silent-drop|return|redirect|use-service|lua\..*|location|prefix|scheme)$/;

/**
 * What the rules that depend on the agent do in this state, in the section of the filter and in the backends behind it.
 * Other rules do not count, nor does the order: rules that keep ours from their turn are findings of their own.
 */
export function stoppedBy(
  filter: Filter,
  installation: Installation,
  rulesets: readonly Ruleset[],
  state: State,
): Stopped {
  const { config, prefixes } = installation;
  const here = stoppedIn(filter.proxy, rulesets, state, prefixes);
  if (here === 'all') return 'all';
  const targets = targetsOf(filter.proxy);
  const behind = config.proxies
    .filter(({ kind, name }) => kind !== 'frontend' && targets.includes(name))
    .map((proxy) => stoppedIn(proxy, rulesets, state, prefixes));
  if (behind.length > 0 && !isDynamic(filter.proxy) && behind.every((stopped) => stopped === 'all')) return 'all';
  return [here, ...behind].some((stopped) => stopped !== 'none') ? 'some' : 'none';
}

/** The rules of this section that depend on the agent and stop requests in this state, whatever else is true of them. */
export function stoppingRules(
  proxy: ProxySection,
  rulesets: readonly Ruleset[],
  state: State,
  prefixes: Prefixes,
): Rule[] {
  return obeyingRules(proxy, rulesets, prefixes).filter(
    (rule) => !isDetour(rule, proxy) && holds(rule.condition, proxy.acls, valuesOf(state, prefixes)) === true,
  );
}

function stoppedIn(proxy: ProxySection, rulesets: readonly Ruleset[], state: State, prefixes: Prefixes): Stopped {
  const truths = obeyingRules(proxy, rulesets, prefixes).map(({ condition }) =>
    holds(condition, proxy.acls, valuesOf(state, prefixes)),
  );
  if (truths.includes(true)) return 'all';
  return truths.includes(undefined) ? 'some' : 'none';
}

/** The rules of this section that depend on the agent and can stop a request. */
export function obeyingRules(proxy: ProxySection, rulesets: readonly Ruleset[], prefixes: Prefixes): Rule[] {
  return proxy.rules.filter(
    (rule) =>
      rulesets.includes(rule.ruleset) &&
      (rule.ruleset === 'use_backend' || STOPS.test(rule.action) || isDetour(rule, proxy)) &&
      ownVariablesOf(rule, proxy.acls, prefixes).length > 0,
  );
}

/** Does it set a variable of somebody's own that a rule which stops requests reads? */
function isDetour({ action }: Rule, { rules, acls }: ProxySection): boolean {
  const [, variable] = /^set-var(?:-fmt)?\(([\w.]+)/.exec(action) ?? [];
  if (variable === undefined) return false;
  return rules.some(
    (rule) => STOPS.test(rule.action) && readVariables(testsOf(rule.condition, acls).flat()).includes(variable),
  );
}

function valuesOf(state: State, prefixes: Prefixes): Values {
  return (variable) => {
    const own = ownVariable(variable, prefixes);
    if (own === undefined) return undefined;
    return own.name in state || NAMES.includes(own.name) ? state[own.name] : null;
  };
}
