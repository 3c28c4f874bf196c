import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import { decisionOf } from '../../../agent/decision/decision.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { withoutAddress } from '../../../agent/decision/verdict-pool.ts';
import type { AskedLists } from '../../../agent/mirror/asked-lists.ts';
import { Mirror } from '../../../agent/mirror/mirror.ts';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { check } from '../../../blocklist/service.ts';
import type { Item } from '../../../blocklist/store.ts';
import { factsOf } from '../../../contract/actions.ts';
import { isPermitted } from '../../../contract/permitted-actions.ts';
import type { Change } from '../../../contract/updates.ts';
import { changeOf } from '../../../updates/change.ts';
import { checkDeps } from '../../support/check-deps.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { longRuns } from '../../support/scope.ts';
import {
  askedLists,
  askedSubject,
  heldLists,
  NOW_SECONDS,
  trialLists,
  worldEntries,
} from '../../support/small-world.ts';

/** Spellings that people use for a subject. */
const SPELLINGS: readonly ((subject: string) => string)[] = [
  (subject) => subject,
  (subject) => subject,
  (subject) => ` ${subject}`,
  (subject) => subject.replace(/^ip:([^/]*)$/, (_, address) => `ip:${address}/${address.includes(':') ? 128 : 32}`),
  (subject) => subject.replace(/^ip:/, ''),
  (subject) => subject.replace(/^(host|country|method|ja4):/, (kind) => kind.toUpperCase()),
];

/** What happens to the table: an item is put under a spelling of its subject, or the item there is removed. */
const writes = fc
  .tuple(
    fc.array(worldEntries, { minLength: 1, maxLength: 3 }),
    fc.infiniteStream(fc.nat({ max: SPELLINGS.length - 1 })),
    fc.infiniteStream(fc.nat({ max: 3 })),
  )
  .map(([worlds, spellings, removals]) =>
    worlds.flat().map((entry): { item: Item; isRemoved: boolean } => {
      const spelling = SPELLINGS[spellings.next().value ?? 0] ?? assert.fail();
      return { item: { ...entry, subject: spelling(entry.subject) }, isRemoved: removals.next().value === 0 };
    }),
  );

const SUBJECTS = 6;
const RUNS = longRuns(170_000, 300);

describe('the mirror', () => {
  it(`decides as the function does over the items as they are meant, about ${RUNS * SUBJECTS} subjects`, async () => {
    const world = fc.asyncProperty(
      writes,
      fc.array(
        askedSubject.filter((subject) => subject !== 'ip:203.0.112.0/23'), // agents ask about networks of IPv6 alone
        { minLength: SUBJECTS, maxLength: SUBJECTS, size: 'max' },
      ),
      askedLists,
      trialLists,
      heldLists,
      async (written, subjects, lists, shadowLists, listActions) => {
        const asked = { lists, shadowLists: [...shadowLists], listActions };
        const mirror = new Mirror({ lists: lists.toSorted() }, 1000);
        mirror.ask(asked);
        mirror.setEpoch(NOW_SECONDS * 1000, 0);
        const table = new Map<string, Change>();
        for (const { item, isRemoved } of written.filter(({ item }) => lists.some((list) => list === item.list))) {
          const key = { subject: String(item.subject), list: String(item.list) };
          const change = changeOf(key, isRemoved ? undefined : item, () => {});
          table.set(`${key.subject} ${key.list}`, change);
          mirror.apply(change);
        }
        const answer = await check({ ...asked, subjects }, checkDeps(storeAsMeant([...table.values()], asked)));
        const asWritten = [...table.values()].filter(({ key, entry }) => key.subject === entry?.subject);
        const answered = await check({ ...asked, subjects }, checkDeps(storeAsMeant(asWritten, asked)));
        for (const [index, text] of subjects.entries()) {
          const subject = LookupSubject.parse(text);
          const entry = answer.verdicts[index]?.entry ?? null;
          assert.deepEqual(mirror.entryOf(subject, 0), entry, text);
          assert.deepEqual(mirror.combined(subject, answered.verdicts[index]?.entry ?? null, 0), entry, text);
          const isAddress = subject.address !== undefined;
          const told = isAddress ? mirror.lookupAddress(addressOf(text), 0) : mirror.lookup(text, 0);
          const expected = (source: 'mirror' | 'stale') =>
            isAddress ? withoutAddress(decisionOf(entry, source), subject) : decisionOf(entry, source);
          assert.deepEqual(told, { live: expected('mirror'), stale: expected('stale') }, text);
        }
      },
    );
    await fc.assert(world, { numRuns: RUNS });
  });

  it('finds an allow under another key of a network once the deny under the canonical one is gone', () => {
    const mirror = new Mirror({ lists: ['manual'] }, 10);
    const put = (key: string, action?: 'allow' | 'deny') => {
      const of = { subject: key.startsWith('ip:') ? key : `ip:${key}`, list: 'manual' };
      mirror.apply({ key: { ...of, subject: key }, entry: action === undefined ? null : { ...of, action } });
    };
    put('ip:203.0.113.8', 'deny');
    put('ip:203.0.113.0/24', 'deny');
    put('203.0.113.0/24', 'allow');
    const told = () => mirror.lookupAddress(addressOf('ip:203.0.113.8'), 0).live?.action;
    assert.equal(told(), 'deny');
    put('ip:203.0.113.0/24');
    assert.equal(told(), 'allow');
  });

  it('has no entry of an address for the network that begins with it', () => {
    const mirror = new Mirror({ lists: ['manual'] }, 10);
    const key = { subject: 'ip:2001:db8:1:2::', list: 'manual' };
    mirror.apply(changeOf(key, { ...key, action: 'deny' }, () => {}));
    assert.equal(mirror.lookupAddress(addressOf('ip:2001:db8:1:2::/64'), 0).live?.action, 'allow');
    assert.equal(mirror.lookupAddress(addressOf('ip:2001:db8:1:2::'), 0).live?.action, 'deny');
  });

  it('tells of the stronger of two spellings in a list in shadow mode', () => {
    const mirror = new Mirror({ lists: ['manual'], shadowLists: ['manual'] }, 10);
    for (const [subject, action] of [
      ['203.0.113.8', 'log'],
      ['ip:203.0.113.8/32', 'drop'],
    ] as const) {
      const key = { subject, list: 'manual' };
      mirror.apply(changeOf(key, { ...key, action }, () => {}));
    }
    assert.equal(mirror.entryOf(LookupSubject.parse('ip:203.0.113.8'), 0)?.shadow, 'drop');
  });
});

function addressOf(text: string): Address {
  const [value = '', length] = text.slice('ip:'.length).split('/');
  const address = new Address(length === undefined ? 128 : Number(length));
  address.readText(value);
  return address;
}

/** What `check` would find if every item stood under its canonical key; of several, the one that counts. */
function storeAsMeant(table: readonly Change[], { listActions = {} }: AskedLists): MemoryStore {
  const counting = table.filter(
    ({ entry }) =>
      entry !== null &&
      isPermitted(listActions, entry) &&
      !((entry.expiresAt ?? Number.POSITIVE_INFINITY) <= NOW_SECONDS),
  );
  const store = new MemoryStore();
  for (const rivals of Map.groupBy(counting, ({ entry }) => `${entry?.subject} ${entry?.list}`).values()) {
    const [first] = rivals.toSorted((a, b) => orderOf(a) - orderOf(b) || (a.key.subject < b.key.subject ? -1 : 1));
    store.type(first?.entry as StoredEntry);
  }
  return store;
}

function orderOf({ key, entry }: Change): number {
  return key.subject === entry?.subject ? -1 : factsOf(entry?.action ?? 'deny').rank;
}
