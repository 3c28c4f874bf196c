import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_REPORTED } from '../../blocklist/invalid-entry-log.ts';
import { type CheckDeps, type CheckFacts, check, MAX_KEYS } from '../../blocklist/service.ts';
import { type EntryStore, StoreError } from '../../blocklist/store.ts';
import { formatAddress, parseAddress } from '../../contract/address.ts';
import { entryProblem } from '../../contract/check.ts';
import type { ListActions } from '../../contract/permitted-actions.ts';
import { lookupKeys, parseLookupSubject } from '../../contract/subject.ts';
import { checkDeps } from '../support/check-deps.ts';
import { localTable, storeAt } from '../support/local-table.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { naiveWinner } from '../support/naive-winner.ts';
import { longRuns } from '../support/scope.ts';
import {
  askedLists,
  askedSubject,
  heldLists,
  heldWorld,
  NOW_SECONDS,
  trialLists,
  worldEntries,
} from '../support/small-world.ts';

const asked = fc.array(askedSubject, { minLength: 1, maxLength: 5 });

const CASES = longRuns(100_000, 3000);

describe('check', () => {
  it(`agrees with a naive comparison of every entry in ${CASES} cases, over memory`, async () => {
    let cases = 0;
    const world = fc.asyncProperty(
      worldEntries,
      asked,
      askedLists,
      trialLists,
      heldLists,
      async (entries, subjects, lists, shadowLists, held) => {
        const store = new MemoryStore();
        for (const entry of entries) store.type(entry);
        await assertSameAsNaive(store, entries, subjects, { lists, shadowLists, held });
        cases += subjects.length;
      },
    );
    await fc.assert(world, { numRuns: 0.36 * CASES });
    assert.ok(cases >= CASES, `only ${cases} subjects were looked up`);
  });

  it('agrees with a naive comparison of every entry, over DynamoDB', async () => {
    const store = storeAt((await localTable({ after })).endpoint);
    const world = fc.asyncProperty(
      worldEntries,
      asked,
      askedLists,
      trialLists,
      heldLists,
      async (entries, subjects, lists, shadowLists, held) => {
        await Promise.all(entries.map((entry) => store.put(entry)));
        await assertSameAsNaive(store, entries, subjects, { lists, shadowLists, held });
        await Promise.all(entries.map((entry) => store.remove(entry)));
      },
    );
    await fc.assert(world, { numRuns: longRuns(300) });
  });

  it('answers as many verdicts as subjects were asked, in their order, repeated ones too', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.0.0.0/8', list: 'manual', action: 'deny' });
    const subjects = ['host:a', 'ip:10.1.1.1', 'host:a', 'ip:10.1.1.1'];
    const { verdicts } = await check({ lists: ['manual'], subjects }, checkDeps(store));
    assert.deepEqual(
      verdicts.map(({ subject, entry }) => [subject, entry?.subject]),
      [
        ['host:a', undefined],
        ['ip:10.1.1.1', 'ip:10.0.0.0/8'],
        ['host:a', undefined],
        ['ip:10.1.1.1', 'ip:10.0.0.0/8'],
      ],
    );
  });

  it('tells the agent nothing that is only for people', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'host:a', list: 'manual', reason: 'abuse', note: 'n', createdBy: 'me', createdAt: 'now' });
    const { verdicts, ttl } = await check({ lists: ['manual'], subjects: ['host:a'] }, checkDeps(store));
    assert.deepEqual(verdicts[0]?.entry, { subject: 'host:a', list: 'manual', action: 'deny', reason: 'abuse' });
    assert.equal(ttl, 60);
  });

  it('ignores a bad entry, says so, and lets the next best win', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.1.1.1', list: 'manual', action: 'allow', reason: 'a\r\nset-cookie: x' });
    store.type({ subject: 'ip:10.1.1.1', list: 'feed', action: 'alow' });
    store.type({ subject: 'ip:10.0.0.0/8', list: 'feed' });
    const lines: unknown[] = [];
    const log: CheckDeps['log'] = (level, message, fields) => lines.push([level, message, fields]);
    const request = { lists: ['manual', 'feed'], subjects: ['ip:10.1.1.1'] };
    const { verdicts } = await check(request, { ...checkDeps(store), log });
    assert.equal(verdicts[0]?.entry?.subject, 'ip:10.0.0.0/8');
    const problem =
      'reason must be one line of at most 200 printable characters; an allow counts only without a mistake';
    assert.deepEqual(lines[0], ['warn', 'invalid entry ignored', { subject: 'ip:10.1.1.1', list: 'manual', problem }]);
    assert.equal(lines.length, 2);
  });

  it('answers an entry in shadow mode with its own action, without status and variables', async () => {
    const store = new MemoryStore();
    const vars = { location: '/new' };
    store.type({
      subject: 'host:a',
      list: 'new',
      action: 'redirect',
      status: 302,
      reason: 'moved',
      vars,
      expiresAt: NOW_SECONDS + 9,
    });
    store.type({ subject: 'host:b', list: 'new', action: 'allow' });
    store.type({ subject: 'host:b', list: 'manual', action: 'deny' });
    store.type({ subject: 'host:c', list: 'new', action: 'log' });
    const request = { lists: ['new', 'manual'], shadowLists: ['new'], subjects: ['host:a', 'host:b', 'host:c'] };
    const { verdicts } = await check(request, checkDeps(store));
    assert.deepEqual(
      verdicts.map(({ entry }) => entry),
      [
        {
          subject: 'host:a',
          list: 'new',
          action: 'log',
          shadow: 'redirect',
          reason: 'moved',
          expiresAt: NOW_SECONDS + 9,
        },
        { subject: 'host:b', list: 'manual', action: 'deny' },
        { subject: 'host:c', list: 'new', action: 'log' },
      ],
    );
    for (const { entry } of verdicts) assert.equal(entry && entryProblem(entry), undefined);
  });

  it('answers beside an allow for a path what wins without it, and of no other kind', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'path:/a/*', list: 'manual', action: 'allow', note: 'n' });
    store.type({ subject: 'path:/a/b', list: 'feed', action: 'allow' });
    store.type({ subject: 'path:/*', list: 'feed', action: 'deny', note: 'n', createdBy: 'me' });
    store.type({ subject: 'path:/a/*', list: 'feed', action: 'log' });
    store.type({ subject: 'host:a.b', list: 'manual', action: 'allow' });
    store.type({ subject: 'host:*.b', list: 'manual', action: 'deny' });
    const ask = async (subjects: string[], ...shadowLists: string[]) => {
      const request = { lists: ['manual', 'feed'], shadowLists, subjects };
      return (await check(request, checkDeps(store))).verdicts.map(({ entry }) => entry);
    };
    const denied = { subject: 'path:/*', list: 'feed', action: 'deny' };
    const allowed = { subject: 'path:/a/b', list: 'feed', action: 'allow', unlessAllowed: denied };
    const host = { subject: 'host:a.b', list: 'manual', action: 'allow' };
    assert.deepEqual(await ask(['path:/a/b', 'host:a.b']), [allowed, host]);
    const byManual = { subject: 'path:/a/*', list: 'manual', action: 'allow' };
    const logged = { subject: 'path:/a/b', list: 'feed', action: 'log', shadow: 'allow' };
    assert.deepEqual(await ask(['path:/a/b'], 'feed'), [{ ...byManual, unlessAllowed: logged }]);
  });

  it('says of a variable which one is wrong, and what would be right', async () => {
    const store = new MemoryStore();
    const problems: unknown[] = [];
    const log: CheckDeps['log'] = (_level, _message, fields) => problems.push(fields?.problem ?? fields?.corrections);
    const wrong = [
      { action: 'redirect' },
      { action: 'redirect', vars: { location: '//evil.example' } },
      { action: 'route', vars: { split: 'blue=90,blue=10' } },
      { action: 'tag', vars: { 'req.set.x-plan': 7 } },
      { action: 'tag', vars: ['path'] },
      { action: 'tag', vars: { 'req.set.host': 'evil.example' } },
    ];
    for (const [index, outcome] of wrong.entries())
      store.type({ subject: `host:h${index}`, list: 'manual', ...outcome });
    const subjects = wrong.map((_, index) => `host:h${index}`);
    const { verdicts } = await check({ lists: ['manual'], subjects }, { ...checkDeps(store), log });
    assert.deepEqual(
      verdicts.map(({ entry }) => entry?.action),
      ['deny', 'deny', undefined, 'tag', 'tag', 'tag'],
    );
    assert.deepEqual(problems, [
      ['action redirect needs vars.location: read as deny'],
      [
        'vars.location is left out: it must be an http or https URL, or a path that begins with one /',
        'action redirect needs vars.location: read as deny',
      ],
      'action route needs vars.backend or vars.split',
      ['vars.req.set.x-plan is read as req.set.x-plan'],
      ['vars is left out: it must be a map'],
      ['vars.req.set.host is left out: it is a header that HAProxy manages itself'],
    ]);
  });

  it('gives the subject whose keys were not read an error, and its neighbours their verdicts', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.1.1.1', list: 'manual', action: 'deny' });
    store.type({ subject: 'ip:192.0.2.1', list: 'manual', action: 'deny' });
    store.lookup = throttled(store, 'ip:10.0.0.0/8');
    const request = { lists: ['manual'], subjects: ['ip:10.1.1.1', 'ip:192.0.2.1', 'host:a'] };
    const { verdicts } = await check(request, checkDeps(store));
    assert.deepEqual(verdicts[0], { subject: 'ip:10.1.1.1', error: 'could not be looked up' });
    store.lookup = throttled(store, 'ip:10.0.0.0/8', true);
    const again = await check(request, checkDeps(store));
    assert.deepEqual(again.verdicts[0], { subject: 'ip:10.1.1.1', error: 'could not be looked up', overload: true });
    assert.ok(again.verdicts.slice(1).every(({ error, overload }) => error === undefined && overload === undefined));
    assert.equal(verdicts[1]?.entry?.subject, 'ip:192.0.2.1');
    assert.equal(verdicts[2]?.entry, null);
  });

  it('fails whole when nothing could be read', async () => {
    const store = new MemoryStore();
    store.lookup = throttled(store, 'host:a');
    const facts: CheckFacts[] = [];
    const measure = (fact: CheckFacts) => void facts.push(fact);
    const request = { lists: ['manual'], subjects: ['host:a', 'nonsense'] };
    await assert.rejects(check(request, { ...checkDeps(store), measure }), {
      name: 'StoreError',
      message: 'throttled',
    });
    assert.deepEqual([facts[0]?.lookups, facts[0]?.failures], [2, 2]);
  });

  it('logs a bad entry once, however many calls find it', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'host:a', list: 'manual', action: 'alow' });
    const { lines, ...logged } = loggingDeps(store);
    for (let call = 0; call < 3; call++) await check({ lists: ['manual'], subjects: ['host:a'] }, logged);
    assert.deepEqual(lines, ['invalid entry ignored']);
  });

  it('logs a bounded number of bad entries, and says when it stops', async () => {
    const store = new MemoryStore();
    const { lines, ...logged } = loggingDeps(store);
    for (let index = 0; index < MAX_REPORTED + 50; index++) {
      store.type({ subject: `host:h${index}`, list: 'manual', action: 'alow' });
      await check({ lists: ['manual'], subjects: [`host:h${index}`] }, logged);
    }
    assert.equal(lines.length, MAX_REPORTED + 1);
    assert.equal(lines.at(-1), 'further invalid entries are not logged one by one');
  });

  it('tells in numbers what it did', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'ip:10.1.1.1', list: 'manual', action: 'deny' });
    store.type({ subject: 'ip:10.1.0.0/16', list: 'feed', action: 'alow' });
    const lookup = store.lookup.bind(store);
    store.lookup = async (keys) => ({ ...(await lookup(keys)), throttles: 2 });
    const facts: CheckFacts[] = [];
    let nowMs = NOW_SECONDS * 1000;
    const request = { lists: ['manual', 'feed', 'feed'], subjects: ['ip:10.1.1.1', 'ip:10.1.1.1', 'host:a', 'host:A'] };
    await check(request, {
      ...checkDeps(store),
      measure: (fact) => void facts.push(fact),
      clock: () => {
        nowMs += 4;
        return nowMs;
      },
    });
    // 25 networks and one host in two lists
    const numbers = { lookups: 4, matches: 2, failures: 1, keys: 52, throttles: 2, badEntries: 1, tableMs: 4 };
    assert.deepEqual(facts, [numbers]);
  });

  it('reads no more keys than its bound, and answers those subjects that fit', async () => {
    const store = new MemoryStore();
    const lookup = store.lookup.bind(store);
    let asked = 0;
    store.lookup = (keys) => {
      asked = keys.length;
      return lookup(keys);
    };
    const lists = Array.from({ length: 32 }, (_, index) => `list-${index}`);
    const far = Array.from({ length: 99 }, (_, index) => `ip:${(0x2001 + index).toString(16)}::1`);
    const { verdicts } = await check({ lists, subjects: [...far, 'ip:2001::1'] }, checkDeps(store));
    const fitting = Math.floor(MAX_KEYS / (50 * 32));
    assert.equal(asked, fitting * 50 * 32);
    assert.ok(verdicts.slice(0, fitting).every(({ entry }) => entry === null));
    for (const { error = '', overload } of verdicts.slice(fitting, 99))
      assert.deepEqual([/more than the limit of 20000 keys per call/.test(error), overload], [true, true]);
    assert.equal(verdicts[99]?.entry, null, 'what adds no keys always fits');
  });

  it('reads the keys of addresses first, whatever else a call is full of, and each subject in its own right', async () => {
    const hex = fc.integer({ min: 0, max: 0xffff }).map((part) => part.toString(16));
    const address = fc
      .tuple(hex, hex)
      .map(([net, host]) => `ip:${formatAddress(parseAddress(`2001:${net}::${host}`) as Uint8Array)}`);
    const chosen = fc.oneof(
      fc.array(hex, { minLength: 1, maxLength: 97 }).map((parts) => `path:/${parts.join('/')}`),
      fc.array(hex, { minLength: 1, maxLength: 60 }).map((parts) => `host:${parts.join('.')}.example`),
      hex.map((value) => `cookie.a:${value}`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ arbitrary: chosen, weight: 9 }, address), { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 1, max: 32 }),
        async (subjects, count) => {
          const store = new MemoryStore();
          const read: string[] = [];
          const lookup = store.lookup.bind(store);
          store.lookup = (keys) => {
            read.push(...keys.map(({ subject }) => subject));
            return lookup(keys);
          };
          const lists = Array.from({ length: count }, (_, index) => `list-${index}`);
          const { verdicts } = await check({ lists, subjects }, checkDeps(store));
          assert.ok(read.length <= MAX_KEYS);
          const firstChosen = read.findIndex((text) => !text.startsWith('ip:'));
          assert.ok(firstChosen < 0 || read.slice(firstChosen).every((text) => !text.startsWith('ip:')));
          const widest = (of: readonly string[]) =>
            new Set(of.flatMap((text) => lookupKeys(parseLookupSubject(text)))).size * count;
          const addresses = subjects.filter((text) => text.startsWith('ip:'));
          for (const { subject, error, overload } of verdicts) {
            const mustFit = widest(subject.startsWith('ip:') ? addresses : subjects) <= MAX_KEYS;
            assert.ok(error === undefined || (overload === true && !mustFit), `${subject} of ${subjects.length}`);
          }
        },
      ),
      { numRuns: longRuns(1000, 100) },
    );
  });

  it('looks up what agents of before ask for a long path: a wildcard deeper than any entry', async () => {
    const store = new MemoryStore();
    store.type({ subject: 'path:/a/*', list: 'manual', action: 'deny' });
    const { verdicts } = await check({ lists: ['manual'], subjects: [`path:${'/a'.repeat(98)}/*`] }, checkDeps(store));
    assert.equal(verdicts[0]?.entry?.subject, 'path:/a/*');
  });
});

function loggingDeps(store: EntryStore): CheckDeps & { lines: string[] } {
  const lines: string[] = [];
  return { ...checkDeps(store), log: (_level, message) => void lines.push(message), lines };
}

async function assertSameAsNaive(
  store: EntryStore,
  entries: Parameters<typeof naiveWinner>[1],
  subjects: string[],
  { lists, shadowLists, held }: { lists: string[]; shadowLists: readonly string[]; held: ListActions },
): Promise<void> {
  const asked = { subjects, lists, shadowLists: [...shadowLists], listActions: held };
  const { verdicts } = await check(asked, checkDeps(store));
  const within = heldWorld(entries, held);
  const beyond = entries.filter((entry) => !within.includes(entry));
  const expected = subjects.map((subject) => {
    const entry = naiveWinner(subject, within, lists, shadowLists, NOW_SECONDS);
    const lost = naiveWinner(subject, beyond, lists, [], NOW_SECONDS);
    const rest = lost && { notCounted: { subject: lost.subject, list: lost.list, action: lost.action } };
    if (entry?.action !== 'allow' || !subject.startsWith('path:')) return { subject, entry: entry ?? null, ...rest };
    const others = within.filter(({ action, list }) => action !== 'allow' || shadowLists.includes(list));
    const next = naiveWinner(subject, others, lists, shadowLists, NOW_SECONDS);
    return { subject, entry: { ...entry, ...(next && { unlessAllowed: next }) }, ...rest };
  });
  assert.deepEqual(verdicts, expected);
}

/** As a lookup behaves when DynamoDB never gives this one subject. */
function throttled(store: EntryStore, subject: string, isThrottled = false): EntryStore['lookup'] {
  const lookup = store.lookup.bind(store);
  return async (keys) => {
    const unread = keys.filter((key) => key.subject === subject);
    const found = await lookup(keys.filter((key) => key.subject !== subject));
    return { ...found, unread, throttles: 1, failure: new StoreError('throttled', { isThrottled }) };
  };
}
