import { formatNetwork, masked, parseNetwork } from '../../contract/address.ts';
import { printable } from '../../contract/printable.ts';
import { isAddress, isFalse, isNothing, meaningOfWord } from './extra-field-meaning.ts';
import { InvalidLineError } from './invalid-line.ts';

/** Throws for a value after a key that changes its meaning: a mask, the end of a range, a word or flag that exempts it. */
export function refuseValue(value: string, key: string, subjects: readonly string[]): void {
  refuseMeaning(value, key, subjects);
  if (isFalse(value) && !isNothing(value)) throw exempting(value, key, subjects);
}

/** The same without flags, for a value among others. */
export function refuseMeaning(value: string, key: string, subjects: readonly string[]): void {
  const [first = ''] = value.replace(/^[-–,;\s]+/, '').split(/[\s,;]/);
  if (isAddress(first) || isLength(first, key))
    throw new InvalidLineError(
      `"${printable(value)}" after ${printable(key)} can be a mask or the end of a range: write a network`,
    );
  if (meaningOfWord(value) !== undefined) throw exempting(value, key, subjects);
}

function exempting(value: string, key: string, subjects: readonly string[]): InvalidLineError {
  return new InvalidLineError(
    `"${printable(value)}" after ${printable(key)} exempts it from blocking`,
    subjects.length === 1 ? subjects[0] : '',
  );
}

/** Whether a number is a prefix length rather than a count. */
function isLength(text: string, key: string): boolean {
  if (!/^\/?\d{1,3}$/.test(text) || !isAddress(key)) return false;
  const network = parseNetwork(`${key}/${text.replace('/', '')}`);
  if (network === undefined || network.prefix === network.bytes.length * 8) return false;
  return formatNetwork(masked(network.bytes, network.prefix)) === formatNetwork(network);
}
