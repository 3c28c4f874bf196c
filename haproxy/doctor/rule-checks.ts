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
import { ERROR_VARIABLE, VARIABLES } from '../variables.ts';
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

/** Do rules apply what the agent decides, and the policy if there is no decision? */
export const RULE_CHECKS = {
  'action-not-obeyed': {
    severity: 'error',
    why: 'the agent only sets variables: without a rule that reads them, its decisions have no effect',
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
    why: 'denied requests that do not match the other conditions of the rule pass',
    write: '<ruleset> if { <variable> -m str deny }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation))
        if (stopped(filter, installation, decided(message, 'deny')) === 'some') {
          const rules = enforcingRules(filter.proxy, rulesetsFor(message), installation.prefixes);
          yield {
            place: rules.at(-1)?.place ?? filter.place,
            what: `${label(filter.proxy)} stops denied requests only under further conditions`,
            values: valuesOf(filter, message, installation),
          };
        }
    },
  },
  'allow-stopped': {
    severity: 'error',
    why: 'requests that should pass are stopped: none of these actions stops a request',
    write: '<ruleset> if { <variable> -m str deny }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation))
        for (const action of PASSING)
          for (const { place } of stopping(filter, installation, decided(message, action)))
            yield {
              place,
              what: 'this rule stops requests that should pass',
              values: valuesOf(filter, message, installation),
            };
    },
  },
  'client-error-passes': {
    severity: 'warning',
    why: 'a client can cause this error itself, with a message larger than a frame or by hanging up: a listed client passes',
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
            what: `no rule of ${label(filter.proxy)} stops a request after an error that its client caused`,
            values: valuesOf(filter, message, installation),
          };
      }
    },
  },
  'closed-error-rule-missing': {
    severity: 'warning',
    why: 'policy closed: after an error of a second message or a group, the earlier answer is still set, and the request passes',
    write: '<ruleset> if { var(txn.<prefix>.<error>) -m found }',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation)) {
        if (!isClosed(message) || message.group !== undefined || filter.engine === undefined) continue;
        const scenario = decided(message, 'allow', errors(filter, installation, '1'));
        if (passesSome(stopped(filter, installation, scenario), message))
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stops a request for which HAProxy got no answer`,
            values: valuesOf(filter, message, installation),
          };
      }
    },
  },
  'closed-unasked-rule-missing': {
    severity: 'error',
    why: 'policy closed: a request that was never checked, or whose answer is empty, has no error variable either, and passes',
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
    why: 'under policy open requests pass when the agent cannot be asked: with this rule, an outage of the agent is an outage of your site',
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
    why: 'the agent never sets this action: the rule never applies',
    write: '-m str <action>',
    find: unknownValues,
  },
} satisfies Checks;

/** Values that a rule compares the action with and that are not actions. */
function* unknownValues({ config, prefixes }: Installation): Iterable<Occurrence> {
  for (const { lines } of config.proxies)
    for (const { words, place } of lines)
      for (const test of testsIn(words)) {
        const { expression, method, ignoresCase, patterns = [] } = readTest(test);
        const [variable = ''] = readVariables([expression]);
        if (method !== 'str' || parseOwnVariable(variable, prefixes)?.name !== VARIABLES.action) continue;
        for (const pattern of patterns)
          if (!isAction(ignoresCase ? pattern.toLowerCase() : pattern) && !hasEnvironmentVariable(pattern))
            yield {
              place,
              what: `"${pattern}" is not an action`,
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

/** A message with a condition and a group are not sent for every request: no rule has to stop them all. */
function passesSome(stopped: ReturnType<typeof stoppedBy>, message: MessageSettings): boolean {
  return sendConditionOf(message).condition === undefined && message.group === undefined
    ? stopped !== 'all'
    : stopped === 'none';
}

/** Rules of the response apply decisions about responses. */
function rulesetsFor(message: MessageSettings): readonly Ruleset[] {
  return isAtResponse(message) ? RESPONSE_RULESETS : REQUEST_RULESETS;
}

function isAtResponse(message: MessageSettings): boolean {
  return isSentAt(message, { side: 'response' });
}

function stopped(filter: Filter, installation: Installation, scenario: Scenario) {
  return stoppedBy(filter, installation, rulesetsFor(scenario.message), scenario);
}

/** The rules that do stop it; routing to another backend is not a stop here. */
function stopping({ proxy }: Filter, installation: Installation, scenario: Scenario): Rule[] {
  const rulesets = rulesetsFor(scenario.message).filter((ruleset) => ruleset !== 'use_backend');
  return stoppingRules(proxy, rulesets, scenario, installation);
}
