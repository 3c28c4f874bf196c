/** An entry in 31 bits: the number of its class, and the number of its list in the last bits. 0 is no entry. */
const LIST_BITS = 5;

/** Set beside an entry whose subject has more of them in the same list, under keys that are not canonical. */
export const BESIDE = 1 << 30;

/** Class 0 has only entries under keys that are not canonical. */
export function entryValue(classNumber: number, list: number): number {
  return (classNumber << LIST_BITS) | list;
}

export function classOf(value: number): number {
  return (value & ~BESIDE) >>> LIST_BITS;
}

export function listOf(value: number): number {
  return value & ((1 << LIST_BITS) - 1);
}

/** The expiry of an entry that has none, as a signed word. */
export const NEVER = -1;
