import type { Entry } from '../../contract/check.ts';
import type { StoredEntry } from '../../functions/blocklist/entry.ts';

/**
 * What is answered for a subject, found the slow way: every entry of the world is compared bit by bit. An entry of a list
 * on trial is only logged, and what is only logged counts where nothing else does.
 */
export function naiveWinner(
  subject: string,
  world: readonly StoredEntry[],
  lists: readonly string[],
  shadowLists: readonly string[],
  nowSeconds: number,
): Entry | undefined {
  const counting = world.filter((entry) => {
    const alive = entry.expiresAt === undefined || nowSeconds < entry.expiresAt;
    return alive && lists.includes(entry.list) && covers(entry.subject, subject);
  });
  const isLogged = (entry: StoredEntry) => entry.action === 'log' || shadowLists.includes(entry.list);
  const enforced = counting.filter((entry) => !isLogged(entry));
  const allows = enforced.filter((entry) => entry.action === 'allow');
  const running = [allows, enforced, counting].find((some) => some.length > 0) ?? [];
  const longest = Math.max(...running.map((entry) => bitsOf(entry.subject).length));
  const finalists = running.filter((entry) => bitsOf(entry.subject).length === longest);
  for (const list of lists)
    for (const entry of finalists) if (entry.list === list) return isLogged(entry) ? logged(entry) : entry;
  return undefined;
}

function logged(entry: StoredEntry): Entry {
  const { action, subject, list, expiresAt } = entry;
  if (action === 'log') return entry;
  return { subject, list, action: 'log', shadow: action, ...(expiresAt !== undefined && { expiresAt }) };
}

function covers(entrySubject: string, subject: string): boolean {
  if (!subject.startsWith('ip:') || !entrySubject.startsWith('ip:')) return entrySubject === subject;
  return entrySubject.includes('.') === subject.includes('.') && bitsOf(subject).startsWith(bitsOf(entrySubject));
}

/** The bits of `ip:a.b.c.d/n` or of `ip:x:y::/n` with `::` only at the end; the tests make no other addresses. */
function bitsOf(subject: string): string {
  if (!subject.startsWith('ip:')) return '';
  const [address = '', length] = subject.slice('ip:'.length).split('/');
  const bits = address.includes('.')
    ? address.split('.').map((part) => Number(part).toString(2).padStart(8, '0'))
    : address
        .replace(/::$/, '')
        .split(':')
        .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0'));
  return bits
    .join('')
    .padEnd(address.includes('.') ? 32 : 128, '0')
    .slice(0, length === undefined ? undefined : Number(length));
}
