import fc from 'fast-check';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { ACTIONS } from '../../contract/actions.ts';
import { formatNetwork, masked, parseAddress } from '../../contract/address.ts';
import type { ListActions } from '../../contract/permitted-actions.ts';

/** Now in every small world, in epoch seconds; entries end around it. */
export const NOW_SECONDS = 1_800_000_000;

export const WORLD_LISTS = ['manual', 'tenant-a', 'feed'] as const;

const ADDRESSES = [
  '203.0.113.7',
  '203.0.113.8',
  '203.0.112.7',
  '203.1.1.1',
  '2001:db8:1:1::',
  '2001:db8:1:2::',
  '2001:db8:9::',
];
const LENGTHS_4 = [32, 31, 24, 23, 16, 8];
const LENGTHS_6 = [128, 64, 63, 48, 32, 16];

const HOSTS = ['example', 'b.example', 'xb.example', 'a.b.example', 'c.a.b.example'];
const FOLDERS = ['/', '/x/', '/xy/', '/x/y/', '/x/y/z/'];
/** Of kinds in which nothing covers anything else, whatever it looks like. */
const OTHERS = [
  ...['method:POST', 'country:DE', 'asn:64500', 'ua:*/*', 'ua:*.b.example', 'header.x-a:/x/*', 'header.x-a:/x/y'],
  ...['cookie.sid:203.0.113.0/24', 'cookie.sid:203.0.113.7', 'header.x-a:*.b.example', 'header.x-a:b.example'],
  ...['ja4:t13d1516h2_8daaf6152771_b186095e22b6', `key:sha256:${'5e'.repeat(32)}`],
];
/** Whole values, and names of different lengths in them. */
const AGENTS = ['ua', 'header.x-a'].flatMap((kind) =>
  ['Bad Bot/1.0 (spider)', 'bad Robot', 'BOT', '*bot*', '*bot/*', '*bad bot*', '*spider*', '*bad*'].map(
    (value) => `${kind}:${value}`,
  ),
);
const hostSubjects = HOSTS.flatMap((host) => [`host:${host}`, `host:*.${host}`]);
const pathSubjects = FOLDERS.flatMap((folder) => [`path:${folder}`, `path:${folder}*`, `path:${folder}page`]);

/** Few subjects, so that entries cover and contradict each other often. */
export const askedSubject = fc.oneof(
  fc.constantFrom(...ADDRESSES.map((address) => `ip:${address}`), 'ip:2001:db8:1:1::/64', 'ip:203.0.112.0/23'),
  fc.constantFrom(...hostSubjects),
  fc.constantFrom(...pathSubjects),
  fc.constantFrom(...AGENTS),
  fc.constantFrom(...OTHERS),
);

const ipSubject = fc
  .tuple(fc.constantFrom(...ADDRESSES), fc.nat({ max: LENGTHS_4.length - 1 }))
  .map(([address, index]) => networkOf(address, index));

/** Each action with what it needs, and some of what it may have. */
const outcome = fc.constantFrom<Pick<StoredEntry, 'action' | 'status' | 'vars'>>(
  { action: 'allow' },
  { action: 'allow', vars: { 'req.set.x-plan': 'gold' } },
  { action: 'deny' },
  { action: 'deny', status: 451, vars: { body: 'not "here"' } },
  { action: 'tarpit', status: 429 },
  { action: 'drop' },
  { action: 'redirect', status: 308, vars: { location: '/new' } },
  { action: 'route', vars: { backend: 'blue' } },
  { action: 'route', vars: { split: 'blue=90,green=10' } },
  { action: 'tag', vars: { path: '/v2', query: '' } },
  { action: 'log' },
);

const worldEntry: fc.Arbitrary<StoredEntry> = fc
  .record({
    subject: fc.oneof(
      ipSubject,
      fc.constantFrom(...hostSubjects),
      fc.constantFrom(...pathSubjects),
      fc.constantFrom(...AGENTS),
      fc.constantFrom(...OTHERS),
    ),
    list: fc.constantFrom(...WORLD_LISTS),
    outcome: fc.oneof(outcome, fc.constantFrom({ action: 'allow' as const }, { action: 'deny' as const })),
    expiresAt: fc.constantFrom(undefined, undefined, NOW_SECONDS - 1, NOW_SECONDS, NOW_SECONDS + 1),
  })
  .map(({ expiresAt, outcome, ...entry }) => ({ ...entry, ...outcome, ...(expiresAt !== undefined && { expiresAt }) }));

/** Entries of a whole table: one for each subject and list at most. */
export const worldEntries = fc.uniqueArray(worldEntry, {
  maxLength: 32,
  size: '+1',
  selector: (entry) => `${entry.subject} ${entry.list}`,
});

/** Lists in any order of precedence, not always all. */
export const askedLists = fc.shuffledSubarray([...WORLD_LISTS], { minLength: 1 });

/** Lists in shadow mode: mostly none, and not always among the requested ones. */
export const trialLists = fc.oneof(fc.constant([]), fc.subarray([...WORLD_LISTS]));

/** Lists that are held to actions: mostly none, some to nothing, some also to what no version knows yet. */
export const heldLists = fc.oneof(
  fc.constant<ListActions>({}),
  fc.dictionary(fc.constantFrom(...WORLD_LISTS), fc.subarray([...ACTIONS, 'captcha'])),
);

/** A world without what its lists may not do. */
export function heldWorld<E extends Pick<StoredEntry, 'list' | 'action'>>(world: readonly E[], held: ListActions): E[] {
  return world.filter(({ list, action }) => held[list]?.includes(action) ?? true);
}

function networkOf(address: string, index: number): string {
  const bytes = parseAddress(address) ?? new Uint8Array(); // all of ADDRESSES are addresses
  const length = (bytes.length === 4 ? LENGTHS_4 : LENGTHS_6)[index] ?? 0;
  return `ip:${formatNetwork(masked(bytes, length))}`;
}
