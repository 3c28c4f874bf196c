import type { Acls } from '../parse/condition.ts';
import type { Rule } from '../parse/rules.ts';
import { VARIABLES } from '../variables.ts';
import type { Checks } from './check.ts';
import { HTTP_MODE, label } from './filter-checks.ts';
import { eventOf, type Filter, type Installation, sentMessages } from './installation.ts';
import { phaseOfEvent, phaseOfRule } from './phase.ts';
import { messageOf } from './variable-names.ts';
import { ownVariablesIn, parseOwnVariable, rulesReadingDecisions } from './variable-reads.ts';

/** Do the rules that apply decisions run after the agent was asked, and before anything ends the ruleset? */
export const ORDER_CHECKS = {
  'rule-too-early': {
    severity: 'error',
    why: 'HAProxy runs this rule before it asks the agent: the variable is never set',
    write: '<right>',
    unless: ['event-differs'],
    *find(installation) {
      for (const { proxy, engine } of installation.filters) {
        const first = engine && firstAsked(installation, proxy, engine);
        if (first === undefined) continue;
        for (const rule of rulesReadingDecisions(proxy, installation))
          if (phaseOfRule(rule.ruleset, proxy) < (askedBefore(rule, proxy, installation) ?? first))
            yield {
              place: rule.place,
              what: `${rule.ruleset} runs before the first message is sent`,
              values: { right: asHttpRule(rule) },
            };
      }
    },
  },
  'rules-unreachable': {
    severity: 'error',
    why: 'an allow or accept without a condition is the last rule that HAProxy evaluates: no decision is applied',
    write: '<rule>   # below the rules that apply decisions',
    *find(installation) {
      for (const { rule } of earlyAllows(installation))
        if (rule.condition === undefined)
          yield {
            place: rule.place,
            what: `${rule.ruleset} ${rule.action} stands above the rules that apply decisions`,
            values: { rule: rule.words.join(' ') },
          };
    },
  },
  'allow-before-rules': {
    severity: 'warning',
    why: 'requests that this rule lets pass are not subject to any decision, not even a deny of their own address',
    write: '<rule>   # below the rules that apply decisions',
    *find(installation) {
      for (const { rule } of earlyAllows(installation))
        if (rule.condition !== undefined)
          yield {
            place: rule.place,
            what: `${rule.ruleset} ${rule.action} stands above the rules that apply decisions`,
            values: { rule: rule.words.join(' ') },
          };
    },
  },
  'rules-ignored': {
    severity: 'error',
    why: 'HAProxy ignores HTTP rules in a section in mode tcp: no decision is applied',
    write: HTTP_MODE,
    unless: ['event-needs-http'],
    *find(installation) {
      for (const proxy of installation.config.proxies)
        for (const rule of proxy.mode === 'tcp' ? rulesReadingDecisions(proxy, installation).slice(0, 1) : [])
          if (rule.ruleset.startsWith('http-')) yield { place: rule.place, what: `${label(proxy)} is in mode tcp` };
    },
  },
  'decision-overwritten': {
    severity: 'error',
    why: 'the rules below read the value set here, not the decision of the agent',
    write: 'a variable other than <variable>',
    *find({ config, prefixes, settings }) {
      const isRecent = (rule: Rule, acls: Acls) =>
        settings.haproxy.recentSeconds > 0 &&
        rule.args.join(' ') === 'str(allow)' &&
        ownVariablesIn(rule, acls, prefixes).some(({ name }) => name === VARIABLES.source);
      for (const { rules, acls } of config.proxies)
        for (const rule of rules) {
          const { action, place } = rule;
          if (isRecent(rule, acls)) continue;
          const [, variable = ''] = /^(?:un)?set-var(?:-fmt)?\(([\w.]+)/.exec(action) ?? [];
          if (parseOwnVariable(variable, prefixes)?.name === VARIABLES.action)
            yield { place, what: `${action} overwrites the decision`, values: { variable } };
        }
    },
  },
} satisfies Checks;

/** When the earliest message whose decision this rule reads is sent; undefined if not at an event. */
function askedBefore(rule: Rule, proxy: Filter['proxy'], { settings, prefixes }: Installation): number | undefined {
  const phases = ownVariablesIn(rule, proxy.acls, prefixes).map((own) => {
    const event = messageOf(settings, own)?.event;
    return event === undefined ? undefined : phaseOfEvent(event, proxy);
  });
  const known = phases.filter((phase) => phase !== undefined);
  return known.length < phases.length || known.length === 0 ? undefined : Math.min(...known);
}

/** When the first message or group is sent: every rule that reads a decision must run later. */
function firstAsked(
  { settings }: Installation,
  proxy: Filter['proxy'],
  engine: NonNullable<Filter['engine']>,
): number | undefined {
  const events = sentMessages(engine).map((message) => eventOf(message));
  const phases = events.map((event) => (event === undefined ? undefined : phaseOfEvent(event, proxy)));
  const sends = proxy.rules.filter(({ action }) => action === 'send-spoe-group');
  const all = [...phases, ...sends.map(({ ruleset }) => phaseOfRule(ruleset, proxy))].filter(
    (phase) => phase !== undefined,
  );
  return all.length === 0 || settings.messages.length === 0 ? undefined : Math.min(...all);
}

/** Rules that let requests pass above a rule that applies decisions, without reading the decision. */
function* earlyAllows(installation: Installation): Iterable<{ readonly rule: Rule }> {
  for (const proxy of installation.config.proxies) {
    const obeying = rulesReadingDecisions(proxy, installation);
    for (const [at, rule] of proxy.rules.entries()) {
      if (!/^(allow|accept)$/.test(rule.action) || ownVariablesIn(rule, proxy.acls, installation.prefixes).length > 0)
        continue;
      const rest = proxy.rules.slice(at + 1);
      if (rest.some((later) => later.ruleset === rule.ruleset && obeying.includes(later))) yield { rule };
    }
  }
}

function asHttpRule({ words, action }: Rule): string {
  const rest = words.slice(words.indexOf(action) + 1).join(' ');
  return `http-request ${action === 'reject' ? 'deny' : action} ${rest}`;
}
