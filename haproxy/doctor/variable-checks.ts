import { didYouMean } from '../../config/did-you-mean.ts';
import type { Settings } from '../../config/settings.ts';
import { REQUEST_SCOPE, scopeOf } from '../events.ts';
import { lastOf, optionOf } from '../parse/proxy.ts';
import type { Place } from '../parse/sections.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { ERROR_VARIABLE, MAX_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE } from '../variables.ts';
import type { Checks, Occurrence } from './check.ts';
import { type Engine, type Installation, isPartlyRead } from './installation.ts';
import { messageOf, namesFor, type OwnVariable } from './variable-names.ts';
import { parseOwnVariable, readVariables } from './variable-reads.ts';

/** A decision takes about 300 bytes, including HAProxy's overhead for each variable. */
const MIN_VARIABLES_BYTES = 1024;

const TIME_OPTIONS = { [PROCESS_TIME_VARIABLE]: 'set-process-time', [TOTAL_TIME_VARIABLE]: 'set-total-time' } as const;

/** Do rules read the variables that the agent sets? */
export const VARIABLE_CHECKS = {
  'prefix-mismatch': {
    severity: 'error',
    why: 'HAProxy puts the prefix of the SPOE file before every variable: under another prefix no variable is set',
    write: '<right>',
    *find({ engines, settings, config, prefixes }) {
      const wrong = new Set<string>();
      for (const { own, place } of readings({ config, prefixes })) {
        const engine = engines.find(({ prefix }) => prefix !== own.prefix);
        if (engine === undefined || engines.some(({ prefix }) => prefix === own.prefix) || wrong.has(own.prefix))
          continue;
        wrong.add(own.prefix);
        if (own.prefix === settings.haproxy.prefix)
          yield {
            place: engine.prefixPlace,
            what: `HAProxy sets <scope>.${engine.prefix}.…, rules and configuration read ${own.variable}`,
            values: { right: `option var-prefix ${own.prefix}` },
          };
        else
          yield {
            place,
            what: `${own.variable} is read, HAProxy sets ${own.scope}.${engine.prefix}.${own.name}`,
            values: { right: `var(${own.scope}.${engine.prefix}.${own.name})` },
          };
      }
    },
  },
  'variable-unknown': {
    severity: 'error',
    why: 'neither the agent nor HAProxy ever sets a variable of this name',
    write: 'var(<right>)',
    *find(installation) {
      const { engines, settings } = installation;
      const known = [...namesFor(settings), ...engines.flatMap(optionNames)];
      const set = setByRules(installation);
      for (const { own, place } of isPartlyRead(installation) ? [] : readings(installation))
        if (!known.includes(own.name) && !set.has(own.variable))
          yield {
            place,
            what: `${own.variable} is never set`,
            values: { right: named({ ...own, name: didYouMean(own.name, known) ?? 'action' }) },
          };
    },
  },
  'variable-scope': {
    severity: 'error',
    why: 'a variable can only be read in the scope in which it was set',
    write: 'var(<right>)',
    *find(installation) {
      const { engines, settings } = installation;
      const ofHaproxy = new Set(engines.flatMap(optionNames));
      const set = setByRules(installation);
      for (const { own, place } of isPartlyRead(installation) ? [] : readings(installation)) {
        const right = rightScope(own, settings, ofHaproxy);
        if (right !== own.scope && !set.has(own.variable))
          yield {
            place,
            what: `${own.variable} is set as ${named({ ...own, scope: right })}`,
            values: { right: named({ ...own, scope: right }) },
          };
      }
    },
  },
  'error-variable-unset': {
    severity: 'warning',
    why: 'without this option of the spoe-agent no variable is set on an error: rules that test it never apply',
    write: 'option set-on-error <name>',
    *find(installation) {
      const { engines } = installation;
      for (const engine of engines)
        if (engine.errorVariable !== ERROR_VARIABLE && reads(installation, ERROR_VARIABLE))
          yield {
            place: optionPlace(engine, 'set-on-error'),
            what: `rules read ${ERROR_VARIABLE}, HAProxy ${engine.errorVariable === undefined ? 'sets no variable on an error' : `sets ${engine.errorVariable}`}`,
            values: { name: ERROR_VARIABLE },
          };
    },
  },
  'time-variable-unset': {
    severity: 'warning',
    why: 'without this option of the spoe-agent nothing sets the time that logs or headers show',
    write: 'option <option> <name>',
    *find(installation) {
      for (const engine of installation.engines)
        for (const [name, option] of Object.entries(TIME_OPTIONS))
          if (!optionNames(engine).includes(name) && reads(installation, name))
            yield {
              place: optionPlace(engine, option),
              what: `${name} is read but never set`,
              values: { option, name },
            };
    },
  },
  'variable-name-too-long': {
    severity: 'error',
    why: `HAProxy silently does not set a variable whose name with scope and prefix is longer than ${MAX_VARIABLE} bytes`,
    write: 'option var-prefix <prefix>   # and the same in haproxy.prefix and in the rules',
    *find({ engines, settings }) {
      const longest = settings.messages
        .flatMap((message) => namesFor(settings).map((name) => [scopeOf(message.event), message.group, name] as const))
        .map(([scope, group, name]) => ({ scope, end: group === undefined ? name : `${group}.${name}` }))
        .reduce((a, b) => (a.scope.length + a.end.length < b.scope.length + b.end.length ? b : a));
      for (const { prefix, prefixPlace } of engines) {
        const length = `${longest.scope}.${prefix}.${longest.end}`.length;
        if (length > MAX_VARIABLE)
          yield {
            place: prefixPlace,
            what: `${longest.scope}.<prefix>.${longest.end} has ${length} bytes`,
            values: { prefix: 'haverdict' },
          };
      }
    },
  },
  'variable-memory-small': {
    severity: 'error',
    why: 'HAProxy silently sets no variable beyond this limit',
    write: '<keyword> 0',
    *find({ config }) {
      for (const scope of ['global', 'proc', 'sess', 'txn']) {
        const keyword = `tune.vars.${scope}-max-size`;
        const { words, place } = lastOf(config.global, keyword) ?? {};
        const size = Number(words?.[1]);
        if (place && size > 0 && size < MIN_VARIABLES_BYTES && !hasEnvironmentVariable(words?.[1] ?? ''))
          yield { place, what: `${size} bytes are too few for a decision`, values: { keyword } };
      }
    },
  },
} satisfies Checks;

/** Each of our variables that a line of any section reads. */
function* readings({
  config,
  prefixes,
}: Pick<Installation, 'config' | 'prefixes'>): Iterable<{ own: OwnVariable; place: Place }> {
  for (const { lines } of config.proxies)
    for (const { words, place } of lines)
      for (const variable of readVariables(words)) {
        const own = parseOwnVariable(variable, prefixes);
        if (own !== undefined) yield { own, place };
      }
}

/** Variables under our prefix that rules set, as those of the wiring do for what the response needs of a backend's decision. */
function setByRules({ config }: Installation): ReadonlySet<string> {
  const actions = config.proxies.flatMap(({ rules }) => rules.map(({ action }) => action));
  return new Set(actions.flatMap((action) => /^set-var(?:-fmt)?\(([\w.]+)/.exec(action)?.[1] ?? []));
}

function reads(installation: Installation, name: string): boolean {
  return [...readings(installation)].some(({ own }) => own.name === name);
}

/** The variables that HAProxy sets by itself. */
function optionNames({ agent }: Engine): string[] {
  return ['set-on-error', ...Object.values(TIME_OPTIONS)].flatMap(
    (option) => optionOf(agent.lines, option)?.line.words.slice(2, 3) ?? [],
  );
}

function optionPlace({ agent }: Engine, option: string): Occurrence['place'] {
  return optionOf(agent.lines, option)?.line.place ?? agent.place;
}

/** A variable that no message sets is meant to be one of the first message, or of its group. */
function rightScope(own: OwnVariable, settings: Settings, ofHaproxy: ReadonlySet<string>): string {
  if (own.group !== undefined || ofHaproxy.has(own.name)) return REQUEST_SCOPE;
  if (messageOf(settings, own) !== undefined) return own.scope;
  const [message] = settings.messages;
  return message === undefined ? REQUEST_SCOPE : scopeOf(message.event);
}

function named({ scope, prefix, group, name }: OwnVariable): string {
  return [scope, prefix, ...(group === undefined ? [] : [group]), name].join('.');
}
