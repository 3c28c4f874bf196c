import {
  cachesBelowCompression,
  compressionFilter,
  type ImplicitFilter,
  undeclaredFilters,
} from '../parse/implicit-filters.ts';
import type { ProxySection } from '../parse/proxy.ts';
import { isAtLeast } from '../versions.ts';
import type { Checks } from './check.ts';
import { label } from './filter-checks.ts';
import type { Installation } from './installation.ts';

/** Does HAProxy still take the filters that the section had before ours? */
export const IMPLICIT_FILTER_CHECKS = {
  'filter-undeclared': {
    severity: 'error',
    why: 'beside an SPOE filter HAProxy wants a filter line for compression, each cache and FastCGI: without it, it refuses the file and keeps its old configuration',
    write: '<filter>   # in <where>',
    *find({ filters, settings }) {
      for (const proxy of filteredSections(filters))
        for (const filter of undeclaredFilters(proxy)) {
          if (isRefused(filter, settings.haproxy.version)) continue;
          yield {
            place: filter.cause.place,
            what: `${filter.cause.words.join(' ')} has no filter line in ${label(proxy)}`,
            values: { filter: filter.write, where: placeFor(filter, proxy) },
          };
        }
    },
  },
  'filter-order': {
    severity: 'error',
    why: 'HAProxy refuses compression above a cache, and keeps its old configuration',
    write: '<filter>   # above <compression>',
    *find({ filters }) {
      for (const proxy of filteredSections(filters))
        for (const { words, place } of cachesBelowCompression(proxy))
          yield {
            place,
            what: `${words.join(' ')} stands below compression in ${label(proxy)}`,
            values: {
              filter: words.join(' '),
              compression: compressionFilter(proxy)?.words.join(' ') ?? 'filter compression',
            },
          };
    },
  },
  'fastcgi-beside-filter': {
    severity: 'error',
    why: 'before HAProxy 3.2 a section with FastCGI can have no SPOE filter, not even with a filter line for both: HAProxy refuses the file',
    write: 'default_backend <backend>   # and in this new backend: use-fcgi-app <app>, with the server lines',
    *find({ filters, settings }) {
      for (const proxy of filteredSections(filters))
        for (const line of proxy.lines.filter(({ words }) => words[0] === 'use-fcgi-app'))
          if (!isAtLeast(settings.haproxy.version, FASTCGI_BESIDE_OTHERS))
            yield {
              place: line.place,
              what: `${label(proxy)} has ${line.words.join(' ')} and an SPOE filter`,
              values: { backend: `${proxy.name}-fcgi`, app: line.words[1] ?? '' },
            };
    },
  },
} satisfies Checks;

/** Seen on 3.2 and 3.4; 2.6 and 3.0 refuse both orders of the lines. */
const FASTCGI_BESIDE_OTHERS = '3.2';

/** The sections with an SPOE filter, each once. */
function filteredSections(filters: Installation['filters']): ReadonlySet<ProxySection> {
  return new Set(filters.map(({ proxy }) => proxy));
}

function isRefused({ write }: ImplicitFilter, version: Parameters<typeof isAtLeast>[0]): boolean {
  return write.startsWith('filter fcgi-app') && !isAtLeast(version, FASTCGI_BESIDE_OTHERS);
}

/** A cache stands above compression, whether that is declared already or has to be. */
function placeFor({ write }: ImplicitFilter, proxy: ProxySection): string {
  const others = undeclaredFilters(proxy).map((filter) => filter.write);
  const declared = proxy.lines.map(({ words }) => words.join(' '));
  const caches = [...declared, ...others].filter((line) => line.startsWith('filter cache'));
  const below = write === 'filter compression' ? caches.at(-1) : undefined;
  const above = write.startsWith('filter cache') ? compressionFilter(proxy)?.words.join(' ') : undefined;
  if (below !== undefined) return `${label(proxy)}, below ${below}`;
  return above === undefined ? label(proxy) : `${label(proxy)}, above ${above}`;
}
