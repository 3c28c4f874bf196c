import { didYouMean } from '../../config/did-you-mean.ts';
import { arrivalOf, isConnectionGroup } from '../client-bytes.ts';
import { sendConditionOf } from '../generate/send-condition.ts';
import { ENGINE } from '../generate/spoe.ts';
import { testsOf } from '../parse/condition.ts';
import { lastOf, type ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';
import { namesOf } from '../parse/spoe-engine.ts';
import type { Checks } from './check.ts';
import { label } from './filter-checks.ts';
import { type Engine, eventOf, type Filter, type Installation, placeOf, SEND } from './installation.ts';
import { phaseOfEvent, phaseOfRule } from './phase.ts';
import { rulesReadingDecisions } from './variable-reads.ts';

/** Are groups of messages sent, and before their answer is read? */
export const GROUP_CHECKS = {
  'group-unknown': {
    severity: 'error',
    why: 'HAProxy refuses the rule and keeps its old configuration',
    write: 'send-spoe-group <engine> <group>',
    *find({ filters }) {
      for (const { proxy, engine, engineName } of filters)
        for (const { args, place } of sendRules(proxy, engineName)) {
          const known = engine?.groups.map(({ name }) => name);
          const [, group = ''] = args;
          if (known?.includes(group) === false)
            yield {
              place,
              what: `there is no spoe-group ${group}`,
              values: { engine: engineName, group: didYouMean(group, known) ?? known[0] ?? group },
            };
        }
    },
  },
  'group-engine-unknown': {
    severity: 'error',
    why: 'a group is sent through a filter of the same section: HAProxy refuses the rule if there is none with that engine',
    write: '<right>',
    *find({ filters, config, settings }) {
      const engines = new Set([ENGINE, ...filters.map(({ engineName }) => engineName)]);
      const groups = [
        ...settings.messages.map(({ group }) => group),
        ...filters.flatMap(({ engine }) => engine?.groups.map(({ name }) => name) ?? []),
      ];
      for (const proxy of config.proxies) {
        const own = filters.find((filter) => filter.proxy === proxy);
        for (const { args, place } of allSendRules(proxy)) {
          const [engine = '', group = ''] = args;
          if (namedFilters(proxy).includes(engine) || !(engines.has(engine) || groups.includes(group))) continue;
          const filter = own ?? filters[0];
          const right = `send-spoe-group ${filter?.engineName ?? ENGINE} ${group}`;
          yield {
            place,
            what: `${label(proxy)} has no filter with the engine ${engine}`,
            values: {
              right: own ? right : `${right}   # in ${filter ? label(filter.proxy) : 'a section'}, with the filter`,
            },
          };
        }
      }
    },
  },
  'group-unlisted': {
    severity: 'error',
    why: 'HAProxy knows only the groups in the groups line of the spoe-agent',
    write: 'groups <groups>',
    *find({ engines }) {
      for (const { agent, groups } of engines) {
        const listed = namesOf(agent, 'groups');
        for (const { name, place } of groups)
          if (!listed.includes(name))
            yield {
              place,
              what: `group ${name} is defined but not listed`,
              values: { groups: [...listed, name].join(' ') },
            };
      }
    },
  },
  'group-never-sent': {
    severity: 'error',
    why: 'only a rule sends the messages of a group: without one the agent is never asked',
    write: '<rule>',
    unless: ['group-engine-unknown', 'group-unknown'],
    *find({ engines, filters, config, settings }) {
      for (const engine of engines)
        for (const group of groupsOf(engine))
          if (
            !config.proxies.some((proxy) => sendRules(proxy, engine.name).some(({ args }) => args[1] === group)) &&
            filters.length > 0
          )
            yield {
              place: placeOf(engine.agent.lines, group, engine.agent.place),
              what: `no rule sends group ${group}`,
              values: { rule: sendRule(engine.name, group, settings) },
            };
    },
  },
  'group-after-rules': {
    severity: 'error',
    why: 'rules run in the order of the file: those above the group find no variables and let everything pass',
    write: '<rule>   # above the rules that apply decisions',
    unless: ['message-unlisted', 'message-missing'],
    *find(installation) {
      for (const filter of installation.filters) {
        const late = lateSend(filter, installation);
        if (late !== undefined)
          yield {
            place: late.place,
            what: `group ${late.args[1]} is sent after rules that read its answer`,
            values: { rule: late.words.join(' ') },
          };
      }
    },
  },
  'group-before-data': {
    severity: 'error',
    why: 'tcp-request content runs as soon as the connection is open: what the client sends has not arrived yet, and the agent is asked about nothing',
    write: '<wait>   # above this rule, with tcp-request inspect-delay 5s',
    *find({ filters }) {
      for (const { proxy, engine, engineName } of filters) {
        const hasDelay = lastOf(proxy.lines, 'tcp-request', 'inspect-delay') !== undefined;
        for (const rule of engine === undefined ? [] : sendRules(proxy, engineName)) {
          if (rule.ruleset !== 'tcp-request content' || (hasDelay && waitsFor(rule, proxy))) continue;
          const names = engine?.groups.find(({ name }) => name === rule.args[1])?.messages ?? [];
          const sent = engine?.messages.filter(({ name }) => names.includes(name)).flatMap((message) => message.args);
          const early = sent?.find(({ expression }) => /^(req[._]|path|url|method|query|hdr|base)/.test(expression));
          if (early)
            yield {
              place: rule.place,
              what: `${early.expression} is sent without waiting for it`,
              values: { wait: waitRule(early.expression, proxy) },
            };
        }
      }
    },
  },
  'inspect-delay-repeated': {
    severity: 'warning',
    why: 'HAProxy takes the first and warns of the second, and with zero-warning refuses the configuration',
    write: '<line>   # removed: that of haverdict wiring is there',
    *find({ filters, config }) {
      const isRefused = lastOf(config.global, 'zero-warning') !== undefined;
      for (const proxy of new Set(filters.map((filter) => filter.proxy))) {
        const [first, second] = proxy.lines.filter(
          ({ words, isUnsure }) => words[0] === 'tcp-request' && words[1] === 'inspect-delay' && !isUnsure,
        );
        if (first !== undefined && second !== undefined)
          yield {
            place: first.place,
            what: `${label(proxy)} has a second inspect-delay below`,
            values: { line: first.words.join(' ') },
            ...(isRefused && { severity: 'error' as const }),
          };
      }
    },
  },
} satisfies Checks;

/** Tests that HAProxy cannot answer before the client has sent something: a rule with one waits for that. */
const WAITS =
  /^(req[._](ssl_|payload|len\b|rdp|proto_http|hdr)|payload|rdp_cookie|wait_end|hdr|path|method|HTTP|REQ_CONTENT|RDP_COOKIE|WAIT_END|METH_)/;

/** Whether this rule, or one above it, waits until the client has sent something. */
function waitsFor(rule: Rule, { rules, acls }: ProxySection): boolean {
  const before = rules.slice(0, rules.indexOf(rule) + 1).filter(({ ruleset }) => ruleset === rule.ruleset);
  return before.some(({ condition }) => {
    const names = (condition?.anyOf ?? []).flat().flatMap(({ test }) => (typeof test === 'string' ? [test] : []));
    return [...testsOf(condition, acls).map(([fetch = '']) => fetch), ...names].some((test) => WAITS.test(test));
  });
}

function waitRule(expression: string, { mode }: ProxySection): string {
  if (mode === 'http') return 'tcp-request content accept if HTTP or WAIT_END';
  return `tcp-request content reject unless ${arrivalOf({ subjects: [{ expression }], arguments: [] })}`;
}

/** The rule that sends a group as the configuration has it. */
function sendRule(engine: string, group: string, { messages }: Installation['settings']): string {
  const message = messages.find((message) => message.group === group);
  const ruleset = message !== undefined && isConnectionGroup(message) ? 'tcp-request content' : 'http-request';
  const { condition } = message === undefined ? {} : sendConditionOf(message);
  return `${ruleset} ${SEND} ${engine} ${group}${condition === undefined ? '' : ` if ${condition}`}`;
}

/** The groups that can be sent, each once. */
function groupsOf({ agent, groups }: Engine): string[] {
  return namesOf(agent, 'groups').filter((listed) => groups.some(({ name }) => name === listed));
}

function allSendRules({ rules }: ProxySection): Rule[] {
  return rules.filter(({ action }) => action === SEND);
}

function sendRules(proxy: ProxySection, engineName: string): Rule[] {
  return allSendRules(proxy).filter(({ args }) => args[0] === engineName);
}

function namedFilters({ lines }: ProxySection): string[] {
  return lines
    .filter(({ words }) => words[0] === 'filter')
    .map(({ words }) => words[words.indexOf('engine') + 1] ?? '');
}

/** The rule that sends the first group, if rules above it read a decision that was not asked for before. */
function lateSend({ proxy, engine, engineName }: Filter, installation: Installation): Rule | undefined {
  const [send] = sendRules(proxy, engineName);
  if (engine === undefined || send === undefined) return undefined;
  const phase = phaseOfRule(send.ruleset, proxy);
  const listed = namesOf(engine.agent, 'messages');
  const events = engine.messages.filter(({ name }) => listed.includes(name)).map((message) => eventOf(message) ?? '');
  if (events.some((event) => (phaseOfEvent(event, proxy) ?? Infinity) <= phase)) return undefined;
  const before = proxy.rules.slice(0, proxy.rules.indexOf(send)).filter(({ ruleset }) => ruleset === send.ruleset);
  return rulesReadingDecisions(proxy, installation).some((rule) => before.includes(rule)) ? send : undefined;
}
