import { didYouMean } from '../../config/did-you-mean.ts';
import { argumentsOf } from '../generate/spoe.ts';
import type { Rule } from '../parse/rules.ts';
import type { Checks, Occurrence } from './check.ts';
import { label } from './filter-checks.ts';
import { configuredMessage, type Engine, eventOf, type Installation, sentMessages } from './installation.ts';
import { phaseOfEvent, phaseOfRule } from './phase.ts';
import { ownVariablesIn } from './variable-reads.ts';

/** Is the agent sent what its configuration says, as it is when the rules have done their part? */
export const ARGUMENT_CHECKS = {
  'argument-missing': {
    severity: 'error',
    why: 'the agent looks nothing up for a subject that is not sent: the policy decides, or the other subjects alone',
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
    why: 'the agent ignores an argument that its configuration does not name: nothing is looked up for it',
    write: 'subjects: { <name>: <expression> }   # in the message of the configuration, or no such argument',
    unless: ['argument-missing'],
    *find({ engines, settings }) {
      for (const { place, name, expression, message } of argumentsIn(engines)) {
        const settled = configuredMessage(settings, message.name);
        if (settled === undefined || argumentsOf(settled).some((wanted) => wanted.name === name)) continue;
        const what = `message ${message.name} of the configuration has no subject and no argument ${name || expression}`;
        yield { place, what, values: { name: name || 'key', expression } };
      }
    },
  },
  'argument-differs': {
    severity: 'warning',
    why: 'HAProxy looks at something else than the configuration of the agent says, such as another header or address',
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
    why: 'HAProxy reads past a keyword of a message that it does not know, without a word',
    write: '<keyword> <rest>',
    *find({ engines }) {
      for (const { messages } of engines)
        for (const message of messages)
          for (const { words, place } of message.ignored)
            yield {
              place,
              what: `"${words[0]}" is no keyword of a message`,
              values: {
                keyword: didYouMean(words[0] ?? '', ['args', 'event']) ?? 'args',
                rest: words.slice(1).join(' '),
              },
            };
    },
  },
  'argument-set-later': {
    severity: 'error',
    why: 'HAProxy asks before it runs this rule: the agent is sent what was there before, such as the address of a proxy, or nothing',
    write: '<rule>   # in a rule that runs before <event>, or the message in a group that is sent after it',
    find: (installation) => setLater(installation, REPLACED),
  },
  'header-set-later': {
    severity: 'warning',
    why: 'HAProxy asks before it runs this rule: the agent is sent the header as the client sent it',
    write:
      '<rule>   # is right after <event> only if the header of the client is meant; else send the message in a group',
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
        // what the agent itself decides can only be done after it was asked
        if (ownVariablesIn(rule, proxy.acls, prefixes).length > 0) continue;
        const affected = message.args.find(({ expression }) =>
          sources.some((source) => sets(rule, source, expression)),
        );
        if (affected === undefined) continue;
        const what = `${rule.action} in ${label(proxy)} runs after ${affected.name} was sent at ${event}`;
        yield { place: rule.place, what, values: { rule: rule.words.join(' '), event } };
      }
    }
}

function sets({ action, args }: Rule, { rule, argument }: Source, expression: string): boolean {
  const match = rule.exec(action);
  return match !== null && argument(match[1] ?? args[0] ?? '').test(expression);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
