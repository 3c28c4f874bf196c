import type { Line, Place } from './sections.ts';

/** A `server` or `server-template` line, including the `default-server` lines above it. */
export interface Server {
  readonly name: string;
  readonly address: string;
  /** Words of default-server first: of a pair like `check` and `no-check` the last one applies. */
  readonly words: readonly string[];
  readonly place: Place;
}

/** Keywords whose opposite does not begin with `no-`. */
const OPPOSITES: Readonly<Record<string, string>> = { disabled: 'enabled' };

export function readServers(lines: readonly Line[]): Server[] {
  const servers: Server[] = [];
  const defaults: string[] = [];
  for (const { words, place } of lines) {
    const [keyword, name = '', ...rest] = words;
    if (keyword === 'default-server') defaults.push(...words.slice(1));
    if (keyword !== 'server' && keyword !== 'server-template') continue;
    const [address = '', ...own] = keyword === 'server' ? rest : rest.slice(1);
    servers.push({ name, address, words: [...defaults, ...own], place });
  }
  return servers;
}

/** Whether the keyword is set and not revoked later. */
export function hasKeyword({ words }: Server, keyword: string): boolean {
  return words.lastIndexOf(keyword) > words.lastIndexOf(OPPOSITES[keyword] ?? `no-${keyword}`);
}

/** The word after the last such keyword. */
export function parameterOf({ words }: Server, keyword: string): string | undefined {
  const at = words.lastIndexOf(keyword);
  return at < 0 ? undefined : words[at + 1];
}
