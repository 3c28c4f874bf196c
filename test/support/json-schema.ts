/** The part of JSON Schema that the contract uses. An unknown word is an error, so that none is left unchecked. */
// biome-ignore lint/suspicious/noExplicitAny: a schema as it stands in the file
type Schema = any;

/** Does the value satisfy the schema? References are looked up in `root`. */
export function satisfies(value: unknown, schema: Schema, root: Schema): boolean {
  return Object.entries(schema).every(([word, rule]) => {
    const check = WORDS[word];
    if (check === undefined) throw new Error(`"${word}" is no word that this validator knows`);
    return check(value, rule, root, schema);
  });
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
const characters = (value: unknown) => (typeof value === 'string' ? value.length : undefined);
const items = (value: unknown) => (Array.isArray(value) ? value.length : undefined);
const amount = (value: unknown) => (typeof value === 'number' ? value : undefined);
const atLeast = (size: number | undefined, least: number) => size === undefined || size >= least;
const atMost = (size: number | undefined, most: number) => size === undefined || size <= most;

const TYPES: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
};

const WORDS: Record<string, (value: unknown, rule: Schema, root: Schema, schema: Schema) => boolean> = {
  $ref: (value, rule, root) => satisfies(value, root.$defs[rule.replace('#/$defs/', '')], root),
  $schema: () => true,
  title: () => true,
  default: () => true,
  description: () => true,
  type: (value, rule) => TYPES[rule]?.(value) ?? false,
  enum: (value, rule) => rule.includes(value),
  anyOf: (value, rule, root) => rule.some((option: Schema) => satisfies(value, option, root)),
  required: (value, rule) => !isObject(value) || rule.every((name: string) => Object.hasOwn(value as object, name)),
  properties: (value, rule, root) =>
    !isObject(value) ||
    Object.entries(rule).every(([name, schema]) => {
      const field = (value as Record<string, unknown>)[name]; // isObject has looked
      return field === undefined || satisfies(field, schema, root);
    }),
  propertyNames: (value, rule, root) =>
    !isObject(value) || Object.keys(value as object).every((name) => satisfies(name, rule, root)),
  additionalProperties: (value, rule, root, schema) =>
    !isObject(value) ||
    Object.entries(value as object).every(
      ([name, field]) =>
        Object.hasOwn(schema.properties ?? {}, name) || (rule !== false && satisfies(field, rule, root)),
    ),
  items: (value, rule, root) => !Array.isArray(value) || value.every((item) => satisfies(item, rule, root)),
  prefixItems: (value, rules, root) =>
    !Array.isArray(value) ||
    rules.every((rule: Schema, at: number) => value.length <= at || satisfies(value[at], rule, root)),
  pattern: (value, rule) => typeof value !== 'string' || new RegExp(rule, 'u').test(value),
  minLength: (value, rule) => atLeast(characters(value), rule),
  maxLength: (value, rule) => atMost(characters(value), rule),
  minItems: (value, rule) => atLeast(items(value), rule),
  maxItems: (value, rule) => atMost(items(value), rule),
  minimum: (value, rule) => atLeast(amount(value), rule),
  maximum: (value, rule) => atMost(amount(value), rule),
};
