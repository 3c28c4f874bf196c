import { folded, isAddress, meaningOf } from './extra-field-meaning.ts';
import { type FeedRecord, isRecord } from './feed-line.ts';
import { ANY, formatJsonPath, ITEMS, type JsonPath } from './json-path.ts';

/** How values of a kind look that can be told from names of columns and from numbers that count. */
const LOOKS: Readonly<Record<string, (text: string) => boolean>> = {
  ip: (text) => isAddress(text) || /^\d+(\.\d+){3}(:\d+| *- *\d+(\.\d+){3})$/.test(text),
  asn: (text) => /^as\d{1,10}$/i.test(text),
  host: (text) => /^(\*?\.)?([\w-]+\.)+(?!\d)[a-z0-9-]{2,}\.?$/i.test(text),
  ja4: (text) => /^[tqd]\w{9}_[\da-f]{12}_[\da-f]{12}$/i.test(text),
};

/** Whether a value of a source is a subject of this kind for sure; never for kinds whose values are any text. */
export function isLikely(value: unknown, kind: string): boolean {
  return typeof value === 'string' && value.length <= 300 && (LOOKS[kind]?.(value.trim()) ?? false);
}

const MAX_PATHS = 4;
const MAX_DEPTH = 6;
const MAX_VALUES = 5000;
/** Items of an array, and fields of an object, that are looked at. */
const MAX_SAMPLES = 50;

/** The paths to the likely subjects of a document, or of what is at `from` in one, for a message. */
export function likelyPaths(document: unknown, kind: string, from: JsonPath = []): readonly string[] {
  const paths = new Set<string>();
  let values = 0;
  const visit = (value: unknown, path: JsonPath): void => {
    if (++values > MAX_VALUES || path.length > MAX_DEPTH || paths.size === MAX_PATHS) return;
    if (Array.isArray(value)) for (const item of value.slice(0, MAX_SAMPLES)) visit(item, [...path, ITEMS]);
    else if (isRecord(value)) visitFields(value, path);
    else if (isLikely(value, kind) || isNumberOf(kind, value, path.at(-1))) paths.add(formatJsonPath(path));
  };
  const visitFields = (record: FeedRecord, path: JsonPath): void => {
    for (const [name, field] of Object.entries(record).slice(0, MAX_SAMPLES))
      if (meaningOf(name, field, '') !== 'exempt') visit(field, [...path, /^[\w$-]+$/.test(name) ? name : ANY]);
  };
  visit(document, from);
  return [...paths];
}

/** The number of an autonomous system is a number in a field that says so. */
function isNumberOf(kind: string, value: unknown, name = ''): boolean {
  return kind === 'asn' && Number.isSafeInteger(value) && /^(asn?|asnum(ber)?|number)$/.test(folded(name));
}

/** The options that name these paths, ready to be typed. */
export function fieldOption(paths: readonly string[]): string {
  const text = paths.join(',');
  return `--field ${/^[\w.,$-]+$/.test(text) ? text : `'${text}'`}`;
}
