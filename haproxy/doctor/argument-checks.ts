import { didYouMean } from '../../config/did-you-mean.ts';
import { DEFAULT_EVENT } from '../events.ts';
import { argumentsOf } from '../generate/spoe.ts';
import type { ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';
import type { Checks, Occurrence } from './check.ts';
import { label } from './filter-checks.ts';
import { configuredMessage, type Engine, eventOf, type Installation, sentMessages } from './installation.ts';
import { phaseOfEvent, phaseOfRule } from './phase.ts';
import { ownVariablesIn } from './variable-reads.ts';

/** Does HAProxy send the configured arguments, after the rules that change their values? */
export const ARGUMENT_CHECKS = {
  'argument-missing': {
    severity: 'error',
    why: 'the agent cannot look up a subject that is not sent: the policy or the other subjects decide',
    write: 'args <name>=<expression>',
    unless: ['spoe-keyword-ignored'],
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const message of sentMessages(engine)) {
          const settled = configuredMessage(settings, message.name);
          const wanted = settled === undefined ? [] : argumentsOf(settled);
          const unknown = message.args.filter((arg) => !wanted.some(({ name }) => name === arg.name));
          for (const { name, expression } of wanted) {
            if (message.args.some((arg) => arg.name === name)) continue;
            const meant = unknown.find(
              (arg) => arg.expression === expression || didYouMean(arg.name, [name]) !== undefined,
            );
            const what =
              meant === undefined ? `does not send ${name}` : `sends ${meant.name || meant.expression}, not ${name}`;
            yield {
              place: meant?.place ?? message.place,
              what: `message ${message.name} ${what}`,
              values: { name, expression },
            };
          }
        }
    },
  },
  'argument-unknown': {
    severity: 'warning',
    why: 'the agent ignores arguments that are not in its configuration: they are not looked up',
    write: 'subjects: { <name>: <expression> }   # in this message of the configuration; or remove the argument',
    unless: ['argument-missing'],
    *find({ engines, settings }) {
      for (const { place, name, expression, message } of argumentsIn(engines)) {
        const settled = configuredMessage(settings, message.name);
        if (settled === undefined || argumentsOf(settled).some((wanted) => wanted.name === name)) continue;
        const what = `message ${message.name} has no subject or argument ${name || expression} in the configuration`;
        yield { place, what, values: { name: name || 'key', expression } };
      }
    },
  },
  'argument-differs': {
    severity: 'warning',
    why: 'HAProxy sends another value than in the configuration of the agent, such as another header or address',
    write: 'args <name>=<expression>',
    *find({ engines, settings }) {
      for (const { place, name, expression, message } of argumentsIn(engines)) {
        const settled = configuredMessage(settings, message.name);
        const right = settled && argumentsOf(settled).find((wanted) => wanted.name === name)?.expression;
        if (right !== undefined && right !== expression)
          yield { place, what: `${name} is ${expression}, not ${right}`, values: { name, expression: right } };
      }
    },
  },
  'spoe-keyword-ignored': {
    severity: 'error',
    why: 'HAProxy ignores an unknown keyword of a message without a warning',
    write: '<keyword> <rest>',
    *find({ engines }) {
      for (const { messages } of engines)
        for (const message of messages)
          for (const { words, place } of message.ignored)
            yield {
              place,
              what: `"${words[0]}" is not a keyword of a message`,
              values: {
                keyword: didYouMean(words[0] ?? '', ['args', 'event']) ?? 'args',
                rest: words.slice(1).join(' '),
              },
            };
    },
  },
  'argument-set-later': {
    severity: 'error',
    why: 'HAProxy asks the agent before it runs this rule: the agent receives the earlier value, such as the address of a proxy, or nothing',
    write: '<earlier>   # runs before <event>; or send the message in a group after this rule',
    find: (installation) => setLater(installation, REPLACED),
  },
  'header-set-later': {
    severity: 'warning',
    why: 'HAProxy asks the agent before it runs this rule: the agent receives the header as the client sent it',
    write:
      "<rule>   # is correct only if the agent should see the client's header; otherwise send the message in a group after this rule",
    find: (installation) => setLater(installation, HEADERS),
  },
} satisfies Checks;

function* argumentsIn(engines: readonly Engine[]) {
  for (const engine of engines)
    for (const message of sentMessages(engine)) for (const argument of message.args) yield { ...argument, message };
}

interface Source {
  readonly rule: RegExp;
  readonly argument: (name: string) => RegExp;
}

const REPLACED: readonly Source[] = [
  { rule: /^set-src$/, argument: () => /^src\b/ },
  { rule: /^set-var(?:-fmt)?\(([\w.]+)/, argument: (name) => new RegExp(`var\\(${literal(name)}[,)]`) },
];
const HEADERS: readonly Source[] = [
  {
    rule: /^(?:set|add|replace)-header$/,
    argument: (name) => new RegExp(`(?:req\\.)?f?hdr\\(${literal(name)}[,)]`, 'i'),
  },
];

function* setLater({ filters, settings, prefixes }: Installation, sources: readonly Source[]): Iterable<Occurrence> {
  for (const { proxy, engine } of filters)
    for (const message of engine === undefined ? [] : sentMessages(engine)) {
      const event = eventOf(message);
      const phase = event === undefined ? undefined : phaseOfEvent(event, proxy);
      if (event === undefined || phase === undefined || configuredMessage(settings, message.name) === undefined)
        continue;
      for (const rule of proxy.rules) {
        if (phaseOfRule(rule.ruleset, proxy) < phase || !rule.ruleset.includes('request')) continue;
        // rules that apply the decision necessarily run after it
        if (ownVariablesIn(rule, proxy.acls, prefixes).length > 0) continue;
        const affected = message.args.find(
          ({ name, expression }) =>
            sources.some((source) => sets(rule, source, expression)) && !(name === 'host' && onlyLowers(rule)),
        );
        if (affected === undefined) continue;
        const what = `${rule.action} in ${label(proxy)} runs after ${affected.name} was sent at ${event}`;
        yield {
          place: rule.place,
          what,
          values: { rule: rule.words.join(' '), earlier: earlier(rule, event, proxy), event },
        };
      }
    }
}

/** The same rule in the ruleset that runs before this event: what is known of a connection is known when it begins. */
function earlier({ words, action }: Rule, event: string, { mode }: ProxySection): string {
  const ruleset = mode === 'http' && event === DEFAULT_EVENT ? 'tcp-request content' : 'tcp-request connection';
  return [ruleset, ...words.slice(words.indexOf(action))].join(' ');
}

function sets({ action, args }: Rule, { rule, argument }: Source, expression: string): boolean {
  const match = rule.exec(action);
  return match !== null && argument(match[1] ?? args[0] ?? '').test(expression);
}

/** Whether a header stays the same but for its case, which tells no hosts apart. */
function onlyLowers({ args: [header = '', value = ''] }: Rule): boolean {
  return new RegExp(`^%\\[(?:req\\.)?f?hdr\\(${literal(header)}\\),lower\\]$`, 'i').test(value);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
