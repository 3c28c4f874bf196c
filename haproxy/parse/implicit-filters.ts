import type { ProxySection } from './proxy.ts';
import type { Line } from './sections.ts';

/** A filter that a section uses without a line of its own, as HAProxy takes it only where no other filters are. */
export interface ImplicitFilter {
  /** The line that would declare it. */
  readonly write: string;
  /** The line that uses it. */
  readonly cause: Line;
}

/** These may stand beside each other without a line: any other filter makes HAProxy refuse them (flt_http_comp.c, cache.c, fcgi-app.c). */
const TOLERANT = new Set(['cache', 'compression', 'comp-req', 'comp-res', 'fcgi-app']);

/**
 * The filters of a section that need a line of their own because of another filter there, in the order in which HAProxy takes
 * them: it refuses compression above a cache.
 */
export function undeclaredFilters({ lines }: ProxySection): readonly ImplicitFilter[] {
  const declared = filtersIn(lines);
  if (declared.every(([kind = '']) => TOLERANT.has(kind))) return [];
  const needed = lines.flatMap((line) => neededBy(line));
  const found = new Map<string, ImplicitFilter>();
  for (const filter of needed) if (!isDeclared(filter.write, declared)) found.set(filter.write, filter);
  return [...found.values()].sort((one, other) => place(one.write) - place(other.write));
}

/** Lines of cache filters that stand below compression. */
export function cachesBelowCompression({ lines }: ProxySection): readonly Line[] {
  const filters = lines.filter(({ words }) => words[0] === 'filter');
  const first = filters.findIndex(({ words }) => isCompression(words[1]));
  return first < 0 ? [] : filters.slice(first).filter(({ words }) => words[1] === 'cache');
}

/** The line of this section that declares compression. */
export function compressionFilter({ lines }: ProxySection): Line | undefined {
  return lines.find(({ words }) => words[0] === 'filter' && isCompression(words[1]));
}

function filtersIn(lines: readonly Line[]): (readonly string[])[] {
  return lines.filter(({ words }) => words[0] === 'filter').map(({ words }) => words.slice(1));
}

function neededBy(cause: Line): ImplicitFilter[] {
  const [keyword = '', action, name = ''] = cause.words;
  if (keyword === 'compression') return [{ write: 'filter compression', cause }];
  if (keyword === 'use-fcgi-app') return [{ write: `filter fcgi-app ${action}`, cause }];
  const usesCache = action === 'cache-use' || action === 'cache-store';
  return usesCache ? [{ write: `filter cache ${name}`, cause }] : [];
}

function isDeclared(write: string, declared: readonly (readonly string[])[]): boolean {
  const [, kind, name] = write.split(' ');
  if (isCompression(kind)) return declared.some(([kind]) => isCompression(kind));
  return declared.some((words) => words[0] === kind && words[1] === name);
}

function isCompression(kind: string | undefined): boolean {
  return kind === 'compression' || kind === 'comp-req' || kind === 'comp-res';
}

function place(write: string): number {
  return ['filter fcgi-app', 'filter cache', 'filter compression'].findIndex((start) => write.startsWith(start));
}
