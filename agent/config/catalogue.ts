import { z } from 'zod';
import { ConfigFile } from './schema.ts';

/** One setting as docs/reference/config.md lists it. */
export interface KnownSetting {
  /** `NAME` stands for a key that the operator chooses. */
  readonly path: readonly string[];
  /** The variable that overrides it; absent where a value cannot be one word or a list of words. */
  readonly variable?: string;
  readonly shape: 'number' | 'truth' | 'text' | 'list' | 'map';
  readonly mustBe: string;
  readonly meaning: string;
  readonly fallback: unknown;
}

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly default?: unknown;
  readonly description?: string;
  readonly mustBe?: string;
}

/** Every setting there is, in the order of the schema. */
export const SETTINGS: readonly KnownSetting[] = settingsIn(
  z.toJSONSchema(ConfigFile, { io: 'input' }) as SchemaNode, // the schema is ours and this is the part of it that is read
  [],
);

function settingsIn(node: SchemaNode, path: readonly string[]): KnownSetting[] {
  const own = node.mustBe === undefined ? [] : [toSetting(node, node.mustBe, path)];
  const children = Object.entries(node.properties ?? {});
  // a map with keys of the operator's is worth going into where its values are settings themselves
  if (node.additionalProperties?.properties) children.push(['NAME', node.additionalProperties]);
  return [...own, ...children.flatMap(([key, child]) => settingsIn(child, [...path, key]))];
}

function toSetting(node: SchemaNode, mustBe: string, path: readonly string[]): KnownSetting {
  const shape = shapeOf(node);
  const setting = { path, shape, mustBe, meaning: node.description ?? '', fallback: node.default };
  return shape === 'map' || path.includes('NAME') ? setting : { ...setting, variable: variableFor(path) };
}

function shapeOf(node: SchemaNode): KnownSetting['shape'] {
  if (node.type === 'integer' || node.type === 'number') return 'number';
  if (node.type === 'boolean') return 'truth';
  if (node.type === 'array') return 'list';
  return node.type === 'object' ? 'map' : 'text';
}

function variableFor(path: readonly string[]): string {
  return ['haverdict', ...path]
    .map((key) => key.replace(/[A-Z]/g, '_$&'))
    .join('_')
    .toUpperCase();
}
