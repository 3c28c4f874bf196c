import { readMarks } from '../../haproxy/generate/marks.ts';
import { ENGINE } from '../../haproxy/generate/spoe.ts';
import type { ProxySection } from '../../haproxy/parse/proxy.ts';
import type { Section } from '../../haproxy/parse/sections.ts';
import { plural } from '../output/plural.ts';

/** One of HAProxy's files. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
}

/** The same with marks for parts that are still empty. */
export interface MarkedText extends ConfigText {
  /** The lines of the begin marks, from 0. */
  readonly added: ReadonlySet<number>;
}

interface Insertion {
  readonly path: string;
  /** The line before which it stands, from 0. */
  readonly at: number;
  readonly lines: readonly string[];
}

/** What our filter and rules stand above, in each mode. */
const BELOW = /^(?:http-|filter$|compression$|use_backend$|default_backend$|use-fcgi-app$|server|redirect$)/;
const BELOW_TCP = /^(?:tcp-response$|filter$|use_backend$|default_backend$|server)/;
const AGENTS = 'agents';

/**
 * Marks where the parts of these frontends belong, in those that have none, and at the end of the last file for the agents'
 * backend. Throws an error that says in which frontend somebody has to write them by hand.
 */
export function withMarks(
  files: readonly ConfigText[],
  sections: readonly Section[],
  proxies: readonly ProxySection[],
  frontends: readonly string[],
): MarkedText[] {
  const insertions = frontends.flatMap((name) => marksOf(frontendNamed(name, proxies), files, sections));
  const last = files.at(-1);
  const hasAgents = files.some(({ text }) => readMarks(text).parts.some(({ name }) => name === AGENTS));
  if (last !== undefined && !hasAgents) {
    const lines = last.text.replace(/\n$/, '').split('\n');
    insertions.push({ path: last.path, at: lines.length, lines: ['', ...marks(AGENTS, '')] });
  }
  return files.map((file) =>
    inserted(
      file,
      insertions.filter(({ path }) => path === file.path),
    ),
  );
}

function frontendNamed(name: string, proxies: readonly ProxySection[]): ProxySection {
  const entrances = proxies.filter(({ kind }) => kind !== 'backend');
  const found = entrances.filter((proxy) => proxy.name === name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = entrances.map((proxy) => proxy.name).join(', ');
  throw new Error(
    `there ${found.length === 0 ? 'is no frontend' : `are ${plural(found.length, 'section')} with the name`} ${name}: these are ${names}`,
  );
}

function marksOf(proxy: ProxySection, files: readonly ConfigText[], sections: readonly Section[]): Insertion[] {
  const { file: path, line = 1 } = proxy.place;
  const text = files.find((file) => file.path === path)?.text ?? '';
  const end = endOf(proxy, sections) ?? text.split('\n').length;
  const own = text.split('\n').slice(line, end);
  const part = proxy.mode === 'http' ? 'frontend' : 'tcp-frontend';
  const isMarked = readMarks(text).parts.some(({ name, from }) => name === part && from >= line && from < end);
  if (isMarked) return [];
  const byHand = `write the marks of its part ${part} by hand`;
  if (own.some((one) => /^\s*\.(?:if|elif|else|endif)\b/.test(one)))
    throw new Error(`${path}:${line}: frontend ${proxy.name} has .if: ${byHand}`);
  const lines = proxy.lines.filter(
    ({ place }) => place.file === path && (place.line ?? 0) > line && (place.line ?? 0) <= end,
  );
  const filter = lines.find(({ words }) => words[0] === 'filter' && words[1] === 'spoe' && words.includes(ENGINE));
  if (filter !== undefined)
    throw new Error(
      `${path}:${filter.place.line}: frontend ${proxy.name} has this part without marks: remove it, or ${byHand}`,
    );
  const isBelow = proxy.mode === 'http' ? BELOW : BELOW_TCP;
  const first = lines.findIndex(
    ({ words }) =>
      isBelow.test(words[0] ?? '') || (proxy.mode !== 'http' && words[0] === 'tcp-request' && words[1] === 'content'),
  );
  const above = first === -1 ? lines : lines.slice(0, first);
  const indentation = /^[ \t]*/.exec(own.find((one) => /^[ \t]+\S/.test(one)) ?? '    ')?.[0] ?? '';
  return [{ path, at: above.at(-1)?.place.line ?? line, lines: marks(part, indentation) }];
}

/** The line of the next section in this file, from 0. */
function endOf({ place }: ProxySection, sections: readonly Section[]): number | undefined {
  const next = sections.find((one) => one.place.file === place.file && (one.place.line ?? 0) > (place.line ?? 0));
  return next?.place.line === undefined ? undefined : next.place.line - 1;
}

function marks(part: string, indentation: string): string[] {
  return ['begin', 'end'].map((word) => `${indentation}# haverdict ${word} ${part}`);
}

function inserted({ path, text }: ConfigText, insertions: readonly Insertion[]): MarkedText {
  const end = /\r\n/.test(text) ? '\r' : '';
  const lines = text.split('\n');
  const added = new Set<number>();
  let before = 0;
  for (const { at, lines: own } of insertions.toSorted((one, other) => one.at - other.at)) {
    lines.splice(at + before, 0, ...own.map((line) => line + end));
    added.add(at + before + own.findIndex((line) => line.includes(' begin ')));
    before += own.length;
  }
  return { path, text: lines.join('\n'), added };
}
