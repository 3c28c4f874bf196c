import { redactedSubject } from '../contract/redact.ts';
import type { ReadEntry } from './as-meant.ts';
import { type Item, keyName } from './store.ts';

/** Logs one line for the operator. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** A table can hold any number of items with mistakes, and every call may find each of them. */
export const MAX_REPORTED = 100;

/** Logs each item with a mistake once, and at most `MAX_REPORTED` of them. */
export class InvalidEntryLog {
  readonly #reported = new Set<string>();

  report(item: Item, read: ReadEntry, log: Log): void {
    if (!isMistaken(read)) return;
    const name = keyName(item);
    if (this.#reported.size > MAX_REPORTED || this.#reported.has(name)) return;
    this.#reported.add(name);
    const of = { subject: redactedSubject(String(item.subject)), list: item.list };
    if (this.#reported.size > MAX_REPORTED)
      log('warn', 'further invalid entries are not logged one by one', { logged: MAX_REPORTED });
    else if ('problem' in read) log('warn', 'invalid entry ignored', { ...of, problem: read.problem });
    else log('warn', 'entry read as it is meant', { ...of, corrections: read.corrections });
  }
}

export function isMistaken(read: ReadEntry): boolean {
  return 'problem' in read || read.corrections.length > 0;
}
