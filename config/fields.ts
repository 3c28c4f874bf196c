import { z } from 'zod';

// Every message says what would be right: it completes "must be …". It is also the type column of
// docs/reference/config.md (`mustBe`). For an unknown key, the message of a map lists the known keys.

export function wholeNumber(from: number, to: number) {
  const mustBe = `a whole number from ${from} to ${to}`;
  return z.int(mustBe).min(from, mustBe).max(to, mustBe).meta({ mustBe });
}

export function fraction() {
  const mustBe = 'a number from 0 to 1';
  return z.number(mustBe).min(0, mustBe).max(1, mustBe).meta({ mustBe });
}

export function text(mustBe: string, isRight: (text: string) => boolean) {
  return z.string(mustBe).refine(isRight, mustBe).meta({ mustBe });
}

export function oneOf<const T extends readonly string[]>(values: T) {
  const mustBe = `${values.slice(0, -1).join(', ')}${values.length > 1 ? ' or ' : ''}${values.at(-1)}`;
  return z.enum(values, mustBe).meta({ mustBe });
}

export function boolean() {
  return z.boolean('true or false').meta({ mustBe: 'true or false' });
}

export function listOf<T extends z.ZodType>(item: T, max: number, what: string, min = 1) {
  const mustBe = min === 0 ? `a list of at most ${max} ${what}` : `a list of ${min} to ${max} ${what}`;
  return z.array(item, mustBe).min(min, mustBe).max(max, mustBe).meta({ mustBe });
}

/** A list without duplicates: items with an equal `identity` count as the same. */
export function uniqueListOf<T extends z.ZodType>(
  item: T,
  max: number,
  what: string,
  min = 1,
  identity: (item: z.output<T>) => unknown = (item) => item,
) {
  return listOf(item, max, what, min).refine(
    (items) => new Set(items.map(identity)).size === items.length,
    'a list without duplicates',
  );
}

export function map<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'a map'),
  });
}

/** A map whose keys the operator chooses. */
export function mapOf<K extends z.ZodType<string, string>, V extends z.ZodType>(
  key: K,
  value: V,
  max: number,
  what: string,
  min = 0,
) {
  const size = min === 0 ? `at most ${max}` : `${min} to ${max}`;
  return z
    .record(key, value, `a map of ${what}`)
    .refine((map) => Object.keys(map).length >= min && Object.keys(map).length <= max, `a map of ${size} ${what}`)
    .meta({ mustBe: `a map of ${what}` });
}

/** For checks of a whole map, which only run on maps. */
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
