import type { z } from 'zod';

/** A value that the schema of the configuration has no smaller parts of, with where it stands and what it can be. */
export interface Leaf {
  /** `NAME` for a key of the operator's, `[]` for an item of a list. */
  readonly path: readonly string[];
  readonly schema: z.core.$ZodType;
}

/** The part of zod's definitions that our forms use; what is not here is an error, so that no form is left out. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly valueType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
}

const LEAVES = ['string', 'number', 'boolean', 'enum', 'literal'];

export function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition; // each kind of schema has some of them
}

/** Every leaf of a schema, through optional and default values, unions, lists, maps and maps with keys of the operator's. */
export function leavesOf(schema: z.core.$ZodType, path: readonly string[] = []): Leaf[] {
  const { type, shape, valueType, element, options, innerType, in: input } = definitionOf(schema);
  if (shape !== undefined) return Object.entries(shape).flatMap(([key, child]) => leavesOf(child, [...path, key]));
  if (valueType !== undefined) return leavesOf(valueType, [...path, 'NAME']);
  if (element !== undefined) return leavesOf(element, [...path, '[]']);
  if (options !== undefined) return options.flatMap((option) => leavesOf(option, path));
  const wrapped = innerType ?? input;
  if (wrapped !== undefined) return leavesOf(wrapped, path);
  if (!LEAVES.includes(type)) throw new Error(`${path.join('.')}: zod's ${type} is new here`);
  return [{ path, schema }];
}
