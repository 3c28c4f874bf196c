import type { HaproxySettings } from '../../config/settings.ts';
import { tableLine } from '../generate/rules/recent.ts';
import { skipsRecent } from '../generate/sending-group.ts';
import { AGENTS_BACKEND } from '../generate/spoe.ts';
import { durationMs } from '../parse/duration.ts';
import { lastOf, type ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';
import type { Line } from '../parse/sections.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import type { Checks } from './check.ts';
import { label } from './filter-checks.ts';
import { guardedMessages, type Installation } from './installation.ts';
import { backendsBehind } from './passage.ts';
import { ownVariablesIn } from './variable-reads.ts';

/** Do the rules for `recentSeconds` have a stick counter and a stick table of their own? */
export const RECENT_CHECKS = {
  'recent-not-written': {
    severity: 'warning',
    why: 'haproxy.recentSeconds is set, but without its rules HAProxy still asks about every request',
    write: 'the rules that haverdict wiring -c FILE prints',
    unless: ['group-never-sent', 'message-missing', 'message-unlisted', 'event-missing', 'rules-ignored'],
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation))
        if (
          skipsRecent(installation.settings.haproxy, message) &&
          filter.proxy.mode !== 'tcp' &&
          ownTracks(filter.proxy, installation).length === 0
        )
          yield {
            place: filter.place,
            what: `no rule of ${label(filter.proxy)} stores the addresses that were allowed`,
          };
    },
  },
  'recent-counter-taken': {
    severity: 'error',
    why: 'a stick counter tracks one entry per request: the later track-sc rule is ignored, and sc-set-gpt0 writes to the wrong table',
    write: 'haproxy.recentStickCounter: <free>   # then run haverdict wiring -c FILE again',
    *find(installation) {
      for (const { proxy } of installation.filters)
        for (const own of ownTracks(proxy, installation)) {
          const sections = [proxy, ...backendsBehind(proxy, installation.config)];
          const others = sections
            .flatMap(({ rules }) => rules)
            .filter((rule) => !isOwnTrack(rule, proxy, installation));
          const taken = others.map(counterOf);
          for (const rule of others)
            if (counterOf(rule) === counterOf(own))
              yield {
                place: rule.place,
                what: `${rule.ruleset} ${rule.action} uses the stick counter of haproxy.recentSeconds`,
                values: { free: [2, 1, 0, 3].find((counter) => !taken.includes(String(counter))) ?? 4 },
              };
        }
    },
  },
  'recent-counter-beyond': {
    severity: 'error',
    why: 'HAProxy has only so many stick counters: it refuses the rule and keeps its old configuration',
    write: 'tune.stick-counters <count>   # in global, HAProxy 2.8 and later; or a smaller haproxy.recentStickCounter',
    *find(installation) {
      const count = lastOf(installation.config.global, 'tune.stick-counters')?.words[1] ?? USUAL_COUNTERS;
      const own = installation.filters.flatMap(({ proxy }) => ownTracks(proxy, installation));
      const beyond = own.find((rule) => Number(counterOf(rule)) >= Number(count));
      if (beyond !== undefined)
        yield {
          place: beyond.place,
          what: `${beyond.action} is beyond the ${count} stick counters of this HAProxy`,
          values: { count: Number(counterOf(beyond)) + 1 },
        };
    },
  },
  'recent-table-differs': {
    severity: 'warning',
    why: 'HAProxy asks again about each address that the table does not hold for haproxy.recentSeconds',
    write: '<line>',
    *find(installation) {
      const { haproxy } = installation.settings;
      for (const table of ownTables(installation)) {
        const line = lastOf(table.lines, 'stick-table');
        const problem = line && tableProblem(line, haproxy);
        if (line && problem !== undefined)
          yield { place: line.place, what: `the table ${problem}`, values: { line: tableLine(haproxy) } };
      }
    },
  },
  'recent-table-shared': {
    severity: 'warning',
    why: 'other entries fill the table, and their gpt0 would be read as the time of an allow',
    write: 'stick-table <columns>   # in another backend, and track into that',
    *find(installation) {
      for (const table of ownTables(installation))
        for (const proxy of installation.config.proxies)
          for (const { words, place } of proxy.lines)
            if (words[words.indexOf('table') + 1] === table.name && isForeignUse(words, proxy, place, installation))
              yield {
                place,
                what: `${words[0]} ${words[1]} uses the table ${table.name}`,
                values: { columns: lastOf(table.lines, 'stick-table')?.words.slice(1).join(' ') ?? '' },
              };
    },
  },
} satisfies Checks;

/** How many HAProxy has where nothing is said, as every distribution builds it. */
const USUAL_COUNTERS = '3';

const TRACK = /^track-sc(\d+)$/;

function counterOf({ action }: Rule): string | undefined {
  return TRACK.exec(action)?.[1];
}

/** The rules that store who was allowed: unlike any other, they read a decision. */
function ownTracks(proxy: ProxySection, installation: Installation): Rule[] {
  return proxy.rules.filter((rule) => isOwnTrack(rule, proxy, installation));
}

function isOwnTrack(rule: Rule, { acls }: ProxySection, { prefixes }: Installation): boolean {
  return TRACK.test(rule.action) && ownVariablesIn(rule, acls, prefixes).length > 0;
}

/** A `track-sc` rule or a `stick` line that is not ours. */
function isForeignUse(
  words: readonly string[],
  proxy: ProxySection,
  place: Line['place'],
  installation: Installation,
): boolean {
  if (words[0] === 'stick') return true;
  return words.some((word) => TRACK.test(word)) && !ownTracks(proxy, installation).some((rule) => rule.place === place);
}

function ownTables(installation: Installation): ProxySection[] {
  const names = installation.filters.flatMap(({ proxy }) =>
    ownTracks(proxy, installation).map(({ args }) => args[args.indexOf('table') + 1] ?? AGENTS_BACKEND),
  );
  return installation.config.proxies.filter(({ kind, name }) => kind !== 'frontend' && names.includes(name));
}

/** What is wrong with a `stick-table` line; unknown where it has environment variables. */
function tableProblem({ words }: Line, { recentSeconds, recentAddresses }: HaproxySettings): string | undefined {
  const after = (keyword: string) => words[words.indexOf(keyword) + 1] ?? '';
  if (words.some(hasEnvironmentVariable)) return undefined;
  const size = sizeOf(after('size'));
  const expireMs = words.includes('expire') ? durationMs(after('expire')) : Infinity;
  if (after('type') !== 'ipv6') return `has the type ${after('type')}, not ipv6`;
  if (!words.includes('store') || !/\bgpt0\b/.test(after('store'))) return 'has no gpt0';
  if (size < recentAddresses) return `holds ${size} addresses, not ${recentAddresses}`;
  if (expireMs !== undefined && expireMs < recentSeconds * 1000) return `expires after ${after('expire')}`;
  return undefined;
}

/** HAProxy takes powers of 1024 (configuration.txt 2.5). */
function sizeOf(text: string): number {
  const [, number = '0', unit = ''] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  return Number(number) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
}
