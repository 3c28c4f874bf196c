import { redactedSubject } from '../contract/redact.ts';
import type { Item } from './store.ts';

/** Logs one line for the operator. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** A table can hold any number of invalid items, and every call may find each of them. */
export const MAX_REPORTED = 100;

/** Logs each invalid entry once, and at most `MAX_REPORTED` entries. */
export class InvalidEntryLog {
  readonly #reported = new Set<string>();

  report(item: Item, problem: string, log: Log): void {
    const name = `${item.subject}\n${item.list}`;
    if (this.#reported.size > MAX_REPORTED || this.#reported.has(name)) return;
    this.#reported.add(name);
    if (this.#reported.size <= MAX_REPORTED)
      log('warn', 'invalid entry ignored', {
        subject: redactedSubject(String(item.subject)),
        list: item.list,
        problem,
      });
    else log('warn', 'further invalid entries ignored, not logged one by one', { logged: MAX_REPORTED });
  }
}
