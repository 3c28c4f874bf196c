import { redactedSubject } from '../contract/redact.ts';
import type { Item } from './store.ts';

/** One line for the operator. */
export type Log = (level: 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** One table can hold any number of wrong items, and each may be found by every call. */
export const MAX_REPORTED = 100;

/** Logs each bad entry once for as long as it lives, and no more than `MAX_REPORTED` of them. */
export class BadEntries {
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
