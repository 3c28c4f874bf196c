import { z } from 'zod';
import { ConfigFile } from './schema.ts';

/** One setting as docs/reference/config.md lists it. */
export interface KnownSetting {
  /** `NAME` stands for a key that the operator chooses, `REASON` for a reason, `listen[]` for an item of a list. */
  readonly path: readonly string[];
  /** The environment variable that overrides it. */
  readonly variable?: string;
  /** Why there is no such variable. */
  readonly noVariable?: string;
  readonly shape: 'number' | 'boolean' | 'text' | 'list' | 'numbers' | 'map';
  readonly mustBe: string;
  readonly meaning: string;
  readonly fallback: unknown;
}

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly default?: unknown;
  readonly description?: string;
  readonly mustBe?: string;
  /** A placeholder for the keys of a map whose values all have the same meaning. */
  readonly each?: string;
  readonly eachMeaning?: string;
}

/** The keywords that `fields.ts` adds to JSON Schema. */
export const OWN_KEYWORDS = ['mustBe', 'each', 'eachMeaning'] as const;

/** A variable has a fixed name, and one value or comma-separated values. */
const UNDER_A_CHOSEN_NAME = 'its path contains a name that you choose';
const IN_A_MAP = 'it is a map or part of one';
const ITEM = '[]';

let known: readonly KnownSetting[] | undefined;

/** All settings, in the order of the schema. Not made before the first call: an agent without variables starts without them. */
export function knownSettings(): readonly KnownSetting[] {
  // our own schema; this type is the part that is read
  known ??= settingsIn(z.toJSONSchema(ConfigFile, { io: 'input' }) as SchemaNode, []);
  return known;
}

/** `noVariable` says why nothing below has a variable. */
function settingsIn(node: SchemaNode, path: readonly string[], noVariable?: string): KnownSetting[] {
  const own = node.mustBe === undefined ? [] : [toSetting(node, node.mustBe, path, noVariable)];
  const inside = childrenOf(node).flatMap(({ key, child, why }) =>
    settingsIn(child, placeOf(path, key), noVariable ?? why),
  );
  return [...own, ...inside];
}

/** An item of a list has no name of its own: `listen[]`. */
function placeOf(path: readonly string[], key: string | undefined): readonly string[] {
  if (key === undefined) return path;
  return key === ITEM ? [...path.slice(0, -1), `${path.at(-1)}${ITEM}`] : [...path, key];
}

interface Child {
  /** Absent for an alternative form of the same value. */
  readonly key?: string;
  readonly child: SchemaNode;
  readonly why?: string;
}

function childrenOf({ each, eachMeaning, ...node }: SchemaNode): Child[] {
  const fields = Object.entries(node.properties ?? {}).map(([key, child]) => ({ key, child }));
  if (each !== undefined)
    return fields.slice(0, 1).map(({ child }) => ({ key: each, child: { ...child, description: eachMeaning ?? '' } }));
  const forms = (key: string | undefined, options: readonly (SchemaNode | undefined)[], why: string): Child[] =>
    options.flatMap((child) =>
      child !== undefined && isMap(child) ? [{ ...(key !== undefined && { key }), child, why }] : [],
    );
  return [
    ...fields,
    ...forms('NAME', [node.additionalProperties], UNDER_A_CHOSEN_NAME),
    ...forms(ITEM, [node.items, ...(node.items?.anyOf ?? [])], IN_A_MAP),
    ...forms(undefined, node.anyOf ?? [], IN_A_MAP),
  ];
}

function isMap(node: SchemaNode): boolean {
  return node.properties !== undefined || node.additionalProperties !== undefined;
}

function toSetting(node: SchemaNode, mustBe: string, path: readonly string[], inherited?: string): KnownSetting {
  const shape = shapeOf(node);
  const setting = { path, shape, mustBe, meaning: node.description ?? '', fallback: node.default };
  const noVariable = inherited ?? (shape === 'map' ? IN_A_MAP : undefined);
  return noVariable === undefined ? { ...setting, variable: variableFor(path) } : { ...setting, noVariable };
}

function shapeOf(node: SchemaNode): KnownSetting['shape'] {
  if (node.type === 'integer' || node.type === 'number') return 'number';
  if (node.type === 'boolean') return 'boolean';
  if (node.type === 'array') return node.items?.type === 'number' ? 'numbers' : 'list';
  return isMap(node) ? 'map' : 'text';
}

/** `HAVERDICT_CACHE_MAX_ENTRIES` for `cache.maxEntries`. */
export function variableFor(path: readonly string[]): string {
  return ['haverdict', ...path]
    .map((key) => key.replace(/[A-Z]/g, '_$&'))
    .join('_')
    .toUpperCase();
}
