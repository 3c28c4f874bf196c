import type { Head } from './record.ts';

/** A place in the log: the record that was applied last. */
export type Place = Pick<Head, 'base' | 'number' | 'id'>;

const CURSOR = /^([A-Za-z0-9]{1,32})\.(\d{1,16})\.([A-Za-z0-9]{1,32})$/;

/** Before the first record: an agent that asks an empty log misses nothing of it. */
export const START: Place = { base: '0', number: 0, id: '0' };

export function cursorOf({ base, number, id }: Place): string {
  return `${base}.${number}.${id}`;
}

/** The place of a cursor; undefined if no record can have it. */
export function placeOf(cursor: string): Place | undefined {
  const [, base, number, id] = CURSOR.exec(cursor) ?? [];
  if (base === undefined || number === undefined || id === undefined) return undefined;
  return { base, number: Number(number), id };
}
