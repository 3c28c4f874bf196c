import { readFileSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { ConfigError } from './config-error.ts';

/** A parsed file that knows the place of each of its values. */
export interface YamlFile {
  readonly value: unknown;
  /** `FILE:LINE:COLUMN` of the value or its key, or of the innermost existing parent. */
  locate(path: readonly PropertyKey[], part: 'key' | 'value'): string;
}

/** For these keys, `3.0`, `0660` and `1000` are text as written, although YAML reads numbers. */
const TEXT_KEYS: readonly unknown[] = ['version', 'mode', 'owner', 'group'];

/** Reads a YAML file. Throws ConfigError if it cannot be read or is not valid YAML. */
export function readYaml(path: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0)
    throw new ConfigError(
      wrong.map((error) => ({ where: at(error.pos[0]), setting: '', message: syntaxMessage(error) })),
    );
  keepTexts(document);
  return {
    value: document.toJS() ?? undefined,
    locate: (setting, part) => at(offsetOf(document, setting, part)),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // the only errors of readFileSync
    const message = READ_ERRORS[code ?? ''] ?? `cannot be read (${code})`;
    throw new ConfigError([{ where: path, setting: '', message }], { cause: error });
  }
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'this user may not read the file',
  EISDIR: 'is a directory, not a file',
};

function syntaxMessage(error: YAMLError): string {
  if (error.code === 'DUPLICATE_KEY') return 'duplicate key';
  return `not valid YAML: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1).split('\n')[0]}`;
}

function keepTexts(document: Document): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !TEXT_KEYS.includes(key.value) || !isScalar(value)) return;
      if (typeof value.value === 'number') value.value = value.source;
    },
  });
}

function offsetOf(document: Document, path: readonly PropertyKey[], part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, segment] of path.entries()) {
    const { key, value } = childOf(isAlias(node) ? node.resolve(document) : node, segment);
    const wanted = part === 'value' || depth < path.length - 1 ? (startOf(value) ?? startOf(key)) : startOf(key);
    if (wanted === undefined) break;
    offset = wanted;
    node = value;
  }
  return offset;
}

function childOf(node: unknown, segment: PropertyKey): { key?: unknown; value?: unknown } {
  if (isSeq(node)) return { key: node.items[Number(segment)], value: node.items[Number(segment)] };
  if (!isMap(node)) return {};
  return node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment)) ?? {};
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly [number, number, number] | null } | null | undefined)?.range?.[0]; // every parsed node has one
}
