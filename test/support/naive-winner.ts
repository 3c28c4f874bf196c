import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Entry } from '../../contract/check.ts';

/**
 * What is answered for a subject, found the slow way: every entry of the world is compared, addresses bit by bit, hosts
 * from their end and paths from their beginning. An entry of a list in shadow mode is only logged, and what is only logged
 * counts where nothing else does.
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
  const most = Math.max(...running.map((entry) => sharedBy(entry.subject)));
  // of names of one length the first in the alphabet counts; of anything else there is one in each list
  const finalists = running
    .filter((entry) => sharedBy(entry.subject) === most)
    .sort((one, other) => (one.subject < other.subject ? -1 : 1));
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
  if (entrySubject === subject) return true;
  const [kind, value] = split(subject);
  const [entryKind, entryValue] = split(entrySubject);
  if (kind !== entryKind) return false;
  if (kind === 'host') return entryValue.startsWith('*.') && value.endsWith(entryValue.slice(1));
  if (kind === 'path') return entryValue.endsWith('/*') && value.startsWith(entryValue.slice(0, -1));
  if (kind === 'ua' || kind.startsWith('header.')) return contains(value, entryValue);
  if (kind !== 'ip') return false;
  return entryValue.includes('.') === value.includes('.') && bitsOf(subject).startsWith(bitsOf(entrySubject));
}

/** How much of what it covers an entry spells out: all of it, or bits of an address, or characters. */
function sharedBy(entrySubject: string): number {
  const [kind, value] = split(entrySubject);
  if (kind === 'ip') return bitsOf(entrySubject).length;
  const isWildcard = (kind === 'host' && value.startsWith('*.')) || (kind === 'path' && value.endsWith('/*'));
  return isWildcard || isName(entrySubject) ? value.length - 1 : Number.POSITIVE_INFINITY;
}

/** Whether a value has the words of a name next to each other; the tests make no two words around a slash. */
function contains(value: string, name: string): boolean {
  const words = (text: string) =>
    ` ${text
      .toLowerCase()
      .replaceAll('/', ' / ')
      .match(/[a-z0-9.]+|\//g)
      ?.join(' ')} `;
  return isName(`ua:${name}`) && words(value).includes(words(name));
}

function isName(subject: string): boolean {
  return /^(ua|header\.[^:]+):\*.*[a-z].*\*$/.test(subject);
}

function split(subject: string): [kind: string, value: string] {
  const colon = subject.indexOf(':');
  return [subject.slice(0, colon), subject.slice(colon + 1)];
}

/** The bits of `ip:a.b.c.d/n` or of `ip:x:y::/n` with `::` only at the end; the tests make no other addresses. */
function bitsOf(subject: string): string {
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
