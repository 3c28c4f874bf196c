/** How much of a wrong value an error shows. */
const SHOWN_CHARACTERS = 60;

/** Programs without types call, too: what is wrong, and what would be right, in one line. */
export function wrong(where: string, given: unknown, right: string): TypeError {
  return new TypeError(`${where} is ${shown(given)}: must be ${right}`);
}

/** Throws for what is not an object with names and values of its own: of a class or a `Map`, none would be found. */
export function checkObject(where: string, given: unknown, right: string): asserts given is object {
  if (typeof given !== 'object' || given === null || !isPlain(given)) throw wrong(where, given, right);
}

/** Throws for what has other names than these: a name that is misspelt would be ignored in silence. */
export function checkOptions(where: string, given: unknown, names: readonly string[]): asserts given is object {
  checkObject(`${where}: options`, given, `an object of ${names.join(', ')}`);
  for (const name of Object.keys(given))
    if (!names.includes(name))
      throw new TypeError(`${where}: "${name}" is no option: must be one of ${names.join(', ')}`);
}

/** Throws for what is not a whole number from `least` to `most`. */
export function checkWhole(where: string, given: unknown, least: number, most: number): void {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < least || given > most)
    throw wrong(where, given, `a whole number from ${least} to ${most}`);
}

/** Throws for what is not text of this pattern. */
export function checkText(where: string, given: unknown, pattern: RegExp, right: string): asserts given is string {
  if (typeof given !== 'string' || !pattern.test(given)) throw wrong(where, given, right);
}

/** HAProxy refuses other characters in the name of a message; longer ones would not fit into its lines. */
const NAME = /^[A-Za-z0-9_.:-]{1,64}$/;

/** Throws for what cannot be the name of a message, or of an argument, in HAProxy's configuration. */
export function checkName(where: string, name: string): void {
  checkText(where, name, NAME, '1 to 64 of A-Z a-z 0-9 _ . : and -');
}

/** A value in the text of an error: short, and on one line. */
export function shown(given: unknown): string {
  switch (typeof given) {
    case 'string':
      return JSON.stringify(given.length > SHOWN_CHARACTERS ? `${given.slice(0, SHOWN_CHARACTERS)}…` : given);
    case 'function':
      return 'a function';
    case 'bigint':
      return `${given}n`;
    case 'object':
      if (given === null) return 'null';
      return Array.isArray(given) ? 'an array' : 'an object';
    default:
      return String(given);
  }
}

function isPlain(given: object): boolean {
  const prototype = Object.getPrototypeOf(given);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && !Array.isArray(given)); // of any realm
}
