type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that the stack sets. */
export function required(name: string, env: Environment): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name} is missing`);
  return value;
}

/** A whole number from 0 to `most`, in a variable that may be absent. */
export function wholeNumber(
  name: string,
  env: Environment,
  { fallback, most, unit }: { readonly fallback: number; readonly most: number; readonly unit: string },
): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new Error(`${name} is "${text}", it must be a whole number of ${unit} from 0 to ${most}`);
}
