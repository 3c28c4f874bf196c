import { didYouMean } from '../../config/did-you-mean.ts';
import type { MessageSettings } from '../../config/settings.ts';
import { ACTIONS, type Action, endsRequest, isAction, OPT_IN } from '../../contract/actions.ts';
import { isSentAt } from '../events.ts';
import { decisionVariables } from '../generate/decision-variables.ts';
import { CLIENT_ERRORS, type ClientError, isClosed } from '../generate/rules/no-decision.ts';
import { sendConditionOf } from '../generate/send-condition.ts';
import { readTest, testsIn } from '../parse/condition.ts';
import type { Rule, Ruleset } from '../parse/rules.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { ERROR_VARIABLE, VARIABLES } from '../vocabulary.ts';
import type { Checks, Occurrence } from './check.ts';
import { enforcingRules, type Scenario, stoppedBy, stoppingRules } from './enforcement.ts';
import { label } from './filter-checks.ts';
import { errorNames, type Filter, guardedMessages, type Installation } from './installation.ts';
import { REQUEST_RULESETS, RESPONSE_RULESETS } from './phase.ts';
import { parseOwnVariable, readVariables } from './variable-reads.ts';

/** These stop nothing: the request passes, at most changed, sent elsewhere, or with something written down. */
const PASSING = ACTIONS.filter((action) => !endsRequest(action));

/** Of the actions that end something, those that the agent answers with this configuration. */
function answered({ settings }: Installation): Action[] {
  return ACTIONS.filter(
    (action) => endsRequest(action) && (!OPT_IN.includes(action) || settings.haproxy.actions.includes(action)),
  );
}

/** Is what the agent decides obeyed, and what happens when it decides nothing? */
export const RULE_CHECKS = {
  'action-not-obeyed': {
    severity: 'error',
    why: 'the agent can only set variables: without a rule that reads them, what it decides does nothing',
    write: '<ruleset> if { <variable> -m str <actions> }',
    unless: ['value-unknown', 'variable-unknown', 'event-in-backend', 'allow-stopped'],
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation)) {
        const ignored = answered(installation).filter(
          (action) => stopped(filter, installation, decided(message, action)) === 'none',
        );
        if (ignored.length > 0)
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} obeys ${ignored.join(', ')} of message ${message.name}`,
            values: { ...valuesOf(filter, message, installation), actions: ignored.join(' ') },
          };
      }
    },
  },
  'deny-obeyed-partly': {
    severity: 'warning',
    why: 'denied requests for which the other conditions of the rule do not hold pass',
    write: '<ruleset> if { <variable> -m str deny }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation))
        if (stopped(filter, installation, decided(message, 'deny')) === 'some') {
          const rules = enforcingRules(filter.proxy, rulesetsFor(message), installation.prefixes);
          yield {
            place: rules.at(-1)?.place ?? filter.place,
            what: `${label(filter.proxy)} stops what is denied under more conditions`,
            values: valuesOf(filter, message, installation),
          };
        }
    },
  },
  'allow-stopped': {
    severity: 'error',
    why: 'requests that shall pass are stopped: of these actions none stops a request',
    write: '<ruleset> if { <variable> -m str deny }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation))
        for (const action of PASSING)
          for (const { place } of stopping(filter, installation, decided(message, action)))
            yield { place, what: 'this rule stops what passes', values: valuesOf(filter, message, installation) };
    },
  },
  'client-error-passes': {
    severity: 'warning',
    why: 'a client causes this error itself, with a message larger than a frame or by hanging up: a listed one passes',
    write: '<refusal> if { var(txn.<prefix>.<error>) -m int 3 259 4 5 255 }',
    unless: ['action-not-obeyed', 'event-in-backend', 'prefix-mismatch', 'closed-error-rule-missing'],
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation)) {
        if (message.shadow || message.group !== undefined || isAtResponse(message) || filter.engine === undefined)
          continue;
        const causes = (Object.keys(CLIENT_ERRORS) as ClientError[]).filter(
          (cause) => message.policy[cause] === undefined,
        );
        const passes = causes.some((cause) => {
          const [code = ''] = CLIENT_ERRORS[cause].split(' ');
          const scenario = decided(message, null, errors(filter, installation, code));
          return passesSome(stopped(filter, installation, scenario), message);
        });
        if (passes)
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stops a request for an error that its client caused`,
            values: valuesOf(filter, message, installation),
          };
      }
    },
  },
  'closed-error-rule-missing': {
    severity: 'warning',
    why: 'policy closed: an error after an earlier answer (of a second message or a group) leaves that answer standing, and the request passes',
    write: '<ruleset> if { var(txn.<prefix>.<error>) -m found }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation)) {
        if (!isClosed(message) || message.group !== undefined || filter.engine === undefined) continue;
        const scenario = decided(message, 'allow', errors(filter, installation, '1'));
        if (passesSome(stopped(filter, installation, scenario), message))
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stops a request whose answer HAProxy did not get`,
            values: valuesOf(filter, message, installation),
          };
      }
    },
  },
  'closed-unasked-rule-missing': {
    severity: 'error',
    why: 'policy closed: a request that the agent was not asked about, or whose answer says nothing, has no error either, and passes',
    write: '<ruleset> if ! { <variable> -m found }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation)) {
        if (!isClosed(message) || filter.engine === undefined) continue;
        const scenario = decided(message, null, errors(filter, installation, null));
        if (passesSome(stopped(filter, installation, scenario), message))
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stops a request without a decision`,
            values: valuesOf(filter, message, installation),
          };
      }
    },
  },
  'unknown-stopped-under-open': {
    severity: 'error',
    why: 'policy open promises that requests pass when the agent cannot be asked: with this rule its outage is yours',
    write: '<ruleset> if { <variable> -m str deny }',
    unless: ['allow-stopped'],
    *find(installation) {
      const causes = installation.settings.messages.some(isClosed) ? [null] : [null, '1'];
      for (const { filter, message } of guardedMessages(installation).filter(({ message }) => !isClosed(message)))
        for (const cause of causes)
          for (const { place } of stopping(
            filter,
            installation,
            decided(message, null, errors(filter, installation, cause)),
          ))
            yield {
              place,
              what: 'this rule stops requests that have no decision',
              values: valuesOf(filter, message, installation),
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
function* unknownValues({ config, prefixes }: Installation): Iterable<Occurrence> {
  for (const { lines } of config.proxies)
    for (const { words, place } of lines)
      for (const test of testsIn(words)) {
        const { expression, method, patterns = [] } = readTest(test);
        const [variable = ''] = readVariables([expression]);
        if (method !== 'str' || parseOwnVariable(variable, prefixes)?.name !== VARIABLES.action) continue;
        for (const pattern of patterns)
          if (!isAction(pattern) && !hasEnvironmentVariable(pattern))
            yield {
              place,
              what: `"${pattern}" is no action`,
              values: { action: didYouMean(pattern, ACTIONS) ?? 'deny' },
            };
      }
}

function decided(message: MessageSettings, action: Action | null, more: Scenario['values'] = {}): Scenario {
  const location = action === 'redirect' ? '/' : null;
  const values = { ...{ action, location, status: null, body: null }, [ERROR_VARIABLE]: null, ...more };
  return { message, values };
}

function errors(filter: Filter, installation: Installation, value: string | null): Scenario['values'] {
  const engine = engineOf(filter, installation);
  return Object.fromEntries((engine ? errorNames(engine) : [ERROR_VARIABLE]).map((name) => [name, value]));
}

function engineOf({ engineName, file }: Filter, { engines }: Installation) {
  return engines.find((engine) => engine.name === engineName && engine.file === file);
}

function valuesOf(
  filter: Filter,
  message: MessageSettings,
  installation: Installation,
): NonNullable<Occurrence['values']> {
  const engine = engineOf(filter, installation);
  const { settings } = installation;
  const prefix = engine?.prefix ?? settings.haproxy.prefix;
  return {
    prefix,
    error: engine?.errorVariable ?? ERROR_VARIABLE,
    variable: decisionVariables(prefix, message).variable(VARIABLES.action),
    ruleset: stopOf(filter, message),
    refusal: stopOf(filter, message).replace('403', '400'),
  };
}

function stopOf({ proxy }: Filter, message: MessageSettings): string {
  const side = isAtResponse(message) ? 'response' : 'request';
  return proxy.mode === 'tcp' ? `tcp-${side} content reject` : `http-${side} deny deny_status 403`;
}

/** A message with a condition, and a group, is not asked about every request: no rule has to stop them all. */
function passesSome(stopped: ReturnType<typeof stoppedBy>, message: MessageSettings): boolean {
  return sendConditionOf(message).condition === undefined && message.group === undefined
    ? stopped !== 'all'
    : stopped === 'none';
}

/** What is decided about a response is obeyed by rules of the response. */
function rulesetsFor(message: MessageSettings): readonly Ruleset[] {
  return isAtResponse(message) ? RESPONSE_RULESETS : REQUEST_RULESETS;
}

function isAtResponse(message: MessageSettings): boolean {
  return isSentAt(message, { side: 'response' });
}

function stopped(filter: Filter, installation: Installation, scenario: Scenario) {
  return stoppedBy(filter, installation, rulesetsFor(scenario.message), scenario);
}

/** Those rules that do stop it; another backend is no stop here. */
function stopping({ proxy }: Filter, installation: Installation, scenario: Scenario): Rule[] {
  const rulesets = rulesetsFor(scenario.message).filter((ruleset) => ruleset !== 'use_backend');
  return stoppingRules(proxy, rulesets, scenario, installation);
}
