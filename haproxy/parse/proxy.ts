import { type Acls, readAcls } from './condition.ts';
import { type Rule, readRules } from './rules.ts';
import type { Line, Place, Section } from './sections.ts';

/** A frontend, backend or listen section, including its defaults. */
export interface ProxySection {
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly name: string;
  readonly place: Place;
  /** Lines of its defaults first: of keywords that apply once, the last one applies. */
  readonly lines: readonly Line[];
  readonly mode: string;
  readonly rules: readonly Rule[];
  readonly acls: Acls;
  /** As of a line. */
  readonly isUnsure?: true;
  /** Its `defaults` section, which it names or merely stands below. */
  readonly defaults?: AppliedDefaults;
}

interface AppliedDefaults {
  readonly name: string;
  readonly place: Place;
  readonly isNamed: boolean;
}

/** The global lines and every proxy of all files, in the order in which HAProxy reads them. */
export interface HaproxyConfig {
  readonly files: readonly string[];
  readonly global: readonly Line[];
  readonly proxies: readonly ProxySection[];
  /** Checks that server lines can name (3.3 and later). */
  readonly healthchecks: readonly Section[];
}

interface Defaults {
  readonly name: string;
  readonly place: Place;
  readonly lines: readonly Line[];
}

export function readConfig(files: readonly string[], sections: readonly Section[]): HaproxyConfig {
  const global: Line[] = [];
  const proxies: ProxySection[] = [];
  const defaults = new Map<string, Defaults>();
  let latest: Defaults | undefined;
  for (const section of sections) {
    // without `from` a proxy takes the defaults section above it, a defaults section nothing
    const { keyword, name, lines } = section;
    const origin = originOf(section);
    if (keyword === 'global') global.push(...lines);
    else if (keyword === 'defaults') {
      const inherited = origin === undefined ? [] : (defaults.get(origin)?.lines ?? []);
      latest = { name: name === 'from' ? '' : name, place: section.place, lines: [...inherited, ...lines] };
      defaults.set(latest.name, latest);
    } else if (isKind(keyword)) {
      const named = origin === undefined ? undefined : defaults.get(origin);
      const applied = named ?? latest;
      proxies.push({
        ...proxyOf(keyword, section, [...(applied?.lines ?? []), ...lines]),
        ...(applied && { defaults: { name: applied.name, place: applied.place, isNamed: named !== undefined } }),
      });
    }
  }
  return { files, global, proxies, healthchecks: sections.filter(({ keyword }) => keyword === 'healthcheck') };
}

function proxyOf(kind: ProxySection['kind'], { name, place, isUnsure }: Section, lines: readonly Line[]): ProxySection {
  const mode = lastOf(lines, 'mode')?.words[1] ?? 'tcp';
  return {
    kind,
    name,
    place,
    lines,
    mode,
    rules: readRules(lines),
    acls: readAcls(lines),
    ...(isUnsure && { isUnsure }),
  };
}

/** The last line with these first words. */
export function lastOf(lines: readonly Line[], ...start: readonly string[]): Line | undefined {
  return lines.findLast(({ words }) => start.every((word, index) => words[index] === word));
}

/** The line that turns this option on or off, the last of all that do. */
export function optionOf(
  lines: readonly Line[],
  name: string,
): { readonly on: boolean; readonly line: Line } | undefined {
  const line = lines.findLast(({ words }) => {
    const [keyword, option] = words[0] === 'no' ? words.slice(1) : words;
    return keyword === 'option' && option === name;
  });
  return line && { on: line.words[0] !== 'no', line };
}

function originOf({ name, rest }: Section): string | undefined {
  if (name === 'from') return rest[0];
  return rest[0] === 'from' ? rest[1] : undefined;
}

function isKind(keyword: string): keyword is ProxySection['kind'] {
  return keyword === 'frontend' || keyword === 'backend' || keyword === 'listen';
}
