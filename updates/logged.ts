import { isDeepStrictEqual } from 'node:util';
import { keyName } from '../blocklist/store.ts';
import type { Change } from '../contract/updates.ts';
import type { AppendDeps, ChangeKey, Log } from './append.ts';
import { pack, unpack } from './record.ts';

export interface LoggedDeps extends Pick<AppendDeps, 'read' | 'clock'> {
  readonly log: Pick<Log, 'from'>;
  wait(ms: number): Promise<unknown>;
}

/** A change is in the log about a second after it was made. */
const LOOK_EVERY_MS = 100;

/**
 * Waits until the log says of each of these keys what the table says of it, where each was changed after record `after` was
 * the last one; returns false if it does not by `untilMs`. What counts is what the table says now: a change that somebody
 * else has replaced meanwhile is never in the log.
 */
export async function untilLogged(
  keys: readonly ChangeKey[],
  after: number,
  untilMs: number,
  { log, read, clock, wait }: LoggedDeps,
): Promise<boolean> {
  const waiting = new Map(keys.map(({ subject, list }) => [keyName({ subject, list }), { subject, list }])); // entries are keys, too
  const said = new Map<string, Change>();
  let number = after;
  let isNew = false;
  for (;;) {
    const { records, isAll } = await log.from(number + 1, { isConsistent: true });
    for (const record of records) {
      number = record.number;
      for (const change of unpack(record) ?? []) {
        if (!waiting.has(keyName(change.key))) continue;
        said.set(keyName(change.key), change);
        isNew = true;
      }
    }
    if (isNew && said.size === waiting.size) {
      isNew = false;
      for (const change of asLogged(await read([...waiting.values()]))) {
        if (!isDeepStrictEqual(change, said.get(keyName(change.key)))) continue;
        waiting.delete(keyName(change.key));
        said.delete(keyName(change.key));
      }
    }
    if (waiting.size === 0) return true;
    if (clock() >= untilMs) return false;
    if (isAll) await wait(LOOK_EVERY_MS);
  }
}

/** The same changes as a record has them. */
function asLogged(changes: readonly Change[]): readonly Change[] {
  return pack(changes).flatMap((part) => unpack(part) ?? []);
}
