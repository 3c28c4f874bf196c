import { ACTIONS } from '../../../contract/check.ts';
import { nearest } from '../../config/nearest.ts';
import { ERROR_VARIABLE, VARIABLES } from '../../vocabulary.ts';
import { readTest, testsIn } from '../haproxy/condition.ts';
import type { Rule, Ruleset } from '../haproxy/rules.ts';
import { isOpen } from '../haproxy/words.ts';
import type { Checks, Seen } from './check.ts';
import { label } from './filter-checks.ts';
import { errorNames, type Filter, type Installation, isClosed } from './installation.ts';
import { isResponseEvent, REQUEST_RULESETS, RESPONSE_RULESETS } from './phase.ts';
import { ownVariable, readVariables } from './variables.ts';
import { obeyingRules, type State, stoppedBy, stoppingRules } from './verdict.ts';

/** These need no rule: the request passes, at most with something written down. */
const PASSING: readonly string[] = ['allow', 'tag', 'log'];

const UNASKED: State = { [VARIABLES.action]: null, [VARIABLES.status]: null, [ERROR_VARIABLE]: null };

/** Is what the agent decides obeyed, and what happens when it decides nothing? */
export const RULE_CHECKS = {
  'action-not-obeyed': {
    severity: 'error',
    why: 'the agent can only set variables: without a rule that reads them, what it decides does nothing',
    write: 'http-request deny deny_status 403 if { var(txn.<prefix>.action) -m str <action> }',
    unless: ['value-unknown', 'variable-unknown', 'event-in-backend', 'allow-stopped'],
    *find(installation) {
      for (const filter of installation.filters)
        for (const action of ACTIONS.filter((action) => !PASSING.includes(action)))
          if (stopped(filter, installation, stateOf(action)) === 'none')
            yield {
              place: filter.place,
              what: `no rule of ${label(filter.proxy)} obeys ${action}`,
              values: { ...prefixOf(filter, installation), action },
            };
    },
  },
  'deny-obeyed-partly': {
    severity: 'warning',
    why: 'denied requests for which the other conditions of the rule do not hold pass',
    write: 'http-request deny deny_status 403 if { var(txn.<prefix>.action) -m str deny }',
    *find(installation) {
      for (const filter of installation.filters)
        if (stopped(filter, installation, stateOf('deny')) === 'some') {
          const place =
            obeyingRules(filter.proxy, rulesetsFor(installation), installation.prefixes).at(-1)?.place ?? filter.place;
          yield {
            place,
            what: `${label(filter.proxy)} stops what is denied under more conditions`,
            values: prefixOf(filter, installation),
          };
        }
    },
  },
  'allow-stopped': {
    severity: 'error',
    why: 'requests that the agent allows are stopped',
    write: 'http-request deny deny_status 403 if { var(txn.<prefix>.action) -m str deny }',
    *find(installation) {
      for (const filter of installation.filters)
        for (const { place } of stopping(filter, installation, stateOf('allow')))
          yield { place, what: 'this rule stops what is allowed', values: prefixOf(filter, installation) };
    },
  },
  'closed-error-rule-missing': {
    severity: 'warning',
    why: 'policy closed: an error after an earlier answer (of a second message or a group) leaves that answer standing, and the request passes',
    write: 'http-request deny deny_status 503 if { var(txn.<prefix>.<error>) -m found }',
    *find(installation) {
      for (const filter of closedFilters(installation))
        if (stopped(filter, installation, { ...stateOf('allow'), ...errors(filter, installation, '1') }) !== 'all')
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stops a request whose answer HAProxy did not get`,
            values: prefixOf(filter, installation),
          };
    },
  },
  'closed-unasked-rule-missing': {
    severity: 'error',
    why: 'policy closed: a request that the agent was not asked about, or whose answer says nothing, has no error either, and passes',
    write: 'http-request deny deny_status 503 if ! { var(txn.<prefix>.action) -m found }',
    *find(installation) {
      for (const filter of closedFilters(installation))
        if (stopped(filter, installation, { ...UNASKED, ...errors(filter, installation, null) }) !== 'all')
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stops a request without a decision`,
            values: prefixOf(filter, installation),
          };
    },
  },
  'unknown-stopped-under-open': {
    severity: 'error',
    why: 'policy open promises that requests pass when the agent cannot be asked: with this rule its outage is yours',
    write: 'http-request deny deny_status 403 if { var(txn.<prefix>.action) -m str deny }',
    unless: ['allow-stopped'],
    *find(installation) {
      if (isClosed(installation.settings)) return;
      for (const filter of installation.filters)
        for (const value of ['1', null])
          for (const { place } of stopping(filter, installation, {
            ...UNASKED,
            ...errors(filter, installation, value),
          }))
            yield {
              place,
              what: 'this rule stops requests that have no decision',
              values: prefixOf(filter, installation),
            };
    },
  },
  'value-unknown': {
    severity: 'error',
    why: 'the agent never answers this action: the rule never applies',
    write: '-m str <action>',
    find: unknownValues,
  },
} satisfies Checks;

/** Words that a rule compares the action with and that no action is. */
function* unknownValues({ config, prefixes }: Installation): Iterable<Seen> {
  for (const { lines } of config.proxies)
    for (const { words, place } of lines)
      for (const test of testsIn(words)) {
        const { expression, method, patterns = [] } = readTest(test);
        const [variable = ''] = readVariables([expression]);
        if (method !== 'str' || ownVariable(variable, prefixes)?.name !== VARIABLES.action) continue;
        for (const pattern of patterns)
          if (!(ACTIONS as readonly string[]).includes(pattern) && !isOpen(pattern))
            yield { place, what: `"${pattern}" is no action`, values: { action: nearest(pattern, ACTIONS) ?? 'deny' } };
      }
}

function stateOf(action: string): State {
  return { [VARIABLES.action]: action, [VARIABLES.status]: null, [ERROR_VARIABLE]: null };
}

function errors(filter: Filter, installation: Installation, value: string | null): State {
  const engine = engineOf(filter, installation);
  return Object.fromEntries((engine ? errorNames(engine) : [ERROR_VARIABLE]).map((name) => [name, value]));
}

function engineOf({ engineName, file }: Filter, { engines }: Installation) {
  return engines.find((engine) => engine.name === engineName && engine.file === file);
}

function prefixOf(filter: Filter, installation: Installation): Seen['values'] & object {
  const engine = engineOf(filter, installation);
  return {
    prefix: engine?.prefix ?? installation.settings.haproxy.prefix,
    error: engine?.errorVariable ?? ERROR_VARIABLE,
  };
}

/** Where the messages of this agent are sent at responses only, rules of the response obey them. */
function rulesetsFor({ settings }: Installation): readonly Ruleset[] {
  return settings.messages.every(({ event }) => event !== undefined && isResponseEvent(event))
    ? RESPONSE_RULESETS
    : REQUEST_RULESETS;
}

function stopped(filter: Filter, installation: Installation, state: State) {
  return stoppedBy(filter, installation, rulesetsFor(installation), state);
}

/** Those rules that do stop it; another backend is no stop here. */
function stopping({ proxy }: Filter, installation: Installation, state: State): Rule[] {
  const rulesets = rulesetsFor(installation).filter((ruleset) => ruleset !== 'use_backend');
  return stoppingRules(proxy, rulesets, state, installation.prefixes);
}

function closedFilters({ settings, filters }: Installation): readonly Filter[] {
  return isClosed(settings) ? filters.filter(({ engine }) => engine !== undefined) : [];
}
