import { randomUUID } from 'node:crypto';
import type { ListStore } from '../../blocklist/records.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { expiryText } from '../options/expiry.ts';

const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;

type Leases = Pick<ListStore, 'takeLease' | 'releaseLease'>;

/**
 * Runs `work` while no other run changes this list. Aborts the signal of `work` if the lease is lost, for example after the
 * machine was suspended. The lease of a process that dies expires.
 */
export async function withLease<Result>(
  lists: Leases,
  { list, by, signal }: { readonly list: string; readonly by: string; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const holder = `${by} ${randomUUID()}`;
  const lost = new AbortController();
  await take(lists, list, holder);
  const timer = setInterval(() => take(lists, list, holder).catch((error) => lost.abort(error)), RENEW_MS);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    await lists.releaseLease(list, holder);
  }
}

async function take(lists: Leases, list: string, holder: string): Promise<void> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const other = await lists.takeLease(list, { holder, until: nowSeconds + LEASE_SECONDS }, nowSeconds);
  if (other === undefined) return;
  const [who = ''] = other.holder.split(' ');
  throw new CliError(
    EXIT.failed,
    `list ${list} is locked by a run of ${who}: try again when it is done, or after ${expiryText(other.until)} if it crashed`,
  );
}
