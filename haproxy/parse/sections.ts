import type { ConditionalText } from './preprocessor.ts';
import { wordsOf } from './words.ts';

/** A file, and a line in it where there is one. */
export interface Place {
  readonly file: string;
  readonly line?: number;
}

export interface Line {
  readonly words: readonly string[];
  readonly place: Place;
  /** Whether it stands under an `.if` whose condition is not known here: another branch may have the same. */
  readonly isUnsure?: true;
}

/** A section keyword, its name, and the lines up to the next section. */
export interface Section {
  readonly keyword: string;
  /** Empty where it has none. */
  readonly name: string;
  /** What follows the name, e.g. `from NAME`. */
  readonly rest: readonly string[];
  /** The `[scope]` it stands under, in an SPOE file. */
  readonly scope: string;
  readonly place: Place;
  readonly lines: readonly Line[];
  /** As of a line. */
  readonly isUnsure?: true;
}

/** Those of haproxy.cfg (2.4 to 3.5) and of an SPOE file. */
const SECTIONS = new Set([
  ...['global', 'defaults', 'frontend', 'backend', 'listen', 'peers', 'resolvers', 'mailers', 'userlist', 'program'],
  ...[
    'cache',
    'ring',
    'log-forward',
    'log-profile',
    'http-errors',
    'fcgi-app',
    'crt-store',
    'traces',
    'acme',
    'healthcheck',
  ],
  ...['spoe-agent', 'spoe-message', 'spoe-group'],
]);

/** Splits a file into sections. Lines before the first section belong to none. */
export function readSections({ file, lines }: ConditionalText): Section[] {
  const sections: (Section & { lines: Line[] })[] = [];
  let scope = '';
  for (const { text, number, isUnsure } of lines) {
    const named = /^\s*\[([^\]]*)\]\s*$/.exec(text)?.[1];
    if (named !== undefined) {
      scope = named.trim();
      continue;
    }
    const words = wordsOf(text);
    const [keyword, name = '', ...rest] = words;
    const place = { file, line: number };
    if (keyword === undefined) continue;
    const unsure = isUnsure && { isUnsure };
    if (SECTIONS.has(keyword)) sections.push({ keyword, name, rest, scope, place, lines: [], ...unsure });
    else sections.at(-1)?.lines.push({ words, place, ...unsure });
  }
  return sections;
}
