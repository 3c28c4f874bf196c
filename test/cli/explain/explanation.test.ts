import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { check } from '../../../blocklist/service.ts';
import { itemsCovering } from '../../../cli/entries/listed-item.ts';
import { type ExplainRequest, type Explanation, explain } from '../../../cli/explain/explanation.ts';
import { oddPathsIn } from '../../../cli/explain/lookup-plan.ts';
import { explanationAsJson, explanationLines } from '../../../cli/explain/report.ts';
import { parseSubject } from '../../../contract/subject.ts';
import { checkDeps } from '../../support/check-deps.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { naiveWinner } from '../../support/naive-winner.ts';
import {
  askedLists,
  askedSubject,
  heldLists,
  heldWorld,
  NOW_SECONDS,
  trialLists,
  worldEntries,
} from '../../support/small-world.ts';

const subjectsOfARequest = fc.uniqueArray(askedSubject, { minLength: 1, maxLength: 4 });

describe('explain', () => {
  it('names the entry that check answers with, and so does a naive search', async () => {
    await fc.assert(
      fc.asyncProperty(
        worldEntries,
        askedSubject,
        askedLists,
        trialLists,
        heldLists,
        async (world, subject, lists, shadowLists, listActions) => {
          const store = await storeWith(world);
          const told = await explained(store, [subject], { lists, shadowLists, listActions });
          const answer = await checked(store, [subject], { lists, shadowLists, listActions });
          assert.deepEqual(keyOfWinner(told), answer[0] && [answer[0].subject, answer[0].list]);
          const naive = naiveWinner(subject, heldWorld(world, listActions), lists, shadowLists, NOW_SECONDS);
          assert.deepEqual(keyOfWinner(told), naive && [naive.subject, naive.list]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('tells each entry once, whatever number of the subjects it matches', async () => {
    await fc.assert(
      fc.asyncProperty(worldEntries, subjectsOfARequest, askedLists, async (world, subjects, lists) => {
        const told = await explained(await storeWith(world), subjects, { lists, shadowLists: [], listActions: {} });
        const keys = told.entries.map(({ listed }) =>
          'entry' in listed ? `${listed.entry.subject} ${listed.entry.list}` : '',
        );
        assert.deepEqual(keys, [...new Set(keys)]);
        assert.ok(told.winner === undefined || told.entries.includes(told.winner));
      }),
      { numRuns: 300 },
    );
  });

  it('lets no entry lose that would win against the winner alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        worldEntries,
        subjectsOfARequest,
        askedLists,
        trialLists,
        heldLists,
        async (world, subjects, lists, shadowLists, listActions) => {
          const how = { lists, shadowLists, listActions };
          const told = await explained(await storeWith(world), subjects, how);
          const winner = told.winner;
          for (const loser of told.entries.filter(({ state }) => state === 'loses')) {
            if (winner === undefined || winner.listed.state === 'bad' || loser.listed.state === 'bad')
              return assert.fail('nobody won');
            const both = await storeWith([winner.listed.entry, loser.listed.entry]);
            const again = await explained(both, subjects, how);
            assert.deepEqual(keyOfWinner(again), keyOfWinner(told), loser.why);
            assert.notEqual(loser.why, '');
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  const deny = { action: 'deny', list: 'manual' } as const;
  const whys: readonly (readonly [string, readonly StoredEntry[], Partial<ExplainRequest>, readonly string[]])[] = [
    ['one', [{ ...deny, subject: 'ip:203.0.113.7' }], {}, ['wins: the only entry that applies']],
    [
      'a longer prefix',
      [
        { ...deny, subject: 'ip:203.0.113.7' },
        { ...deny, subject: 'ip:203.0.113.0/24' },
      ],
      {},
      ['wins: the longest prefix wins', 'loses: the longest prefix wins'],
    ],
    [
      'an allow of a wider network',
      [
        { ...deny, subject: 'ip:203.0.113.7' },
        { subject: 'ip:203.0.0.0/16', action: 'allow', list: 'feed' },
      ],
      {},
      ['loses: an allow overrides every other entry', 'wins: an allow overrides every other entry'],
    ],
    [
      'the first list',
      [
        { ...deny, subject: 'ip:203.0.113.7', list: 'feed' },
        { ...deny, subject: 'ip:203.0.113.7' },
      ],
      {},
      ['loses: list manual comes before feed', 'wins: list manual comes before feed'],
    ],
    [
      'what ended, and a list that nobody asks',
      [
        { ...deny, subject: 'ip:203.0.113.7', expiresAt: NOW_SECONDS },
        { ...deny, subject: 'ip:203.0.113.7', list: 'other' },
      ],
      {},
      ['expired: it has expired and is not deleted yet', 'not asked: list other is not looked in'],
    ],
    [
      'a list in shadow mode',
      [
        { ...deny, subject: 'ip:203.0.113.7', list: 'feed' },
        { ...deny, subject: 'ip:203.0.113.0/24' },
      ],
      { shadowLists: ['feed'] },
      [
        'loses: list feed is in shadow mode: log entries lose to all others',
        'wins: list feed is in shadow mode: log entries lose to all others',
      ],
    ],
    [
      'a list that is held to actions',
      [
        { ...deny, subject: 'ip:203.0.113.7' },
        { subject: 'ip:203.0.0.0/16', action: 'allow', list: 'feed' },
      ],
      { listActions: { feed: ['deny', 'tarpit'] } },
      [
        'wins: the only entry that applies',
        'not counted: allow does not count: list feed is restricted to deny, tarpit',
      ],
    ],
  ];
  for (const [what, entries, changes, expected] of whys)
    it(`says why in words: ${what}`, async () => {
      const items = { subject: 'ip:203.0.113.7', items: entries };
      const told = await explain({ ...request([items]), ...changes });
      assert.deepEqual(
        told.entries.map(({ state, why }) => `${state}: ${why}`),
        expected,
      );
    });

  it('says what HAProxy does instead of what it has no rule for', async () => {
    const rules = { actions: [], denyStatuses: [403, 429], backends: [], requestHeaders: [], responseHeaders: [] };
    const subject = 'ip:203.0.113.7';
    const told = async (entry: Partial<StoredEntry>, changes: Partial<ExplainRequest> = {}) => {
      const how = { ...request([{ subject, items: [{ ...deny, subject, ...entry }] }]), rules, ...changes };
      const [effect = '', ...lines] = explanationLines(how, await explain(how));
      return [effect.replace(`${subject} `, ''), ...lines.filter((line) => line.includes('no rule'))];
    };
    assert.deepEqual(await told({ action: 'tarpit', status: 429 }), [
      'gets status 403',
      '  HAProxy has no rule for action tarpit (haproxy.actions): deny with 403',
    ]);
    assert.deepEqual(await told({ status: 451, vars: { body: 'no' } }), [
      'gets status 403',
      '  HAProxy has no rule for status 451, vars.body (haproxy.denyStatuses, haproxy.actions): deny with 403',
    ]);
    assert.deepEqual(await told({ action: 'route', vars: { backend: 'blue' } }), [
      'passes',
      '  HAProxy has no rule for backend blue (haproxy.backends): tag without it',
    ]);
    assert.deepEqual(await told({ status: 429 }), ['gets status 429']);
    assert.deepEqual(await told({ action: 'tarpit', status: 429 }, { rules: { ...rules, actions: ['tarpit'] } }), [
      "gets status 429 after HAProxy's timeout tarpit",
    ]);
    assert.deepEqual(await told({ action: 'drop' }, { shadow: true }), [
      'passes: in shadow mode, would be deny',
      '  HAProxy has no rule for action drop (haproxy.actions): deny with 403',
    ]);
  });

  it('says where to look for what is listed in a network, and nothing like it of an address', async () => {
    for (const [subject, network] of [
      ['ip:203.0.113.0/24', '203.0.113.0/24'],
      ['ip:2001:db8::/48', '2001:db8::/48'],
      ['ip:203.0.113.7', undefined],
      ['path:/a/*', undefined],
    ] as const) {
      const how = request([{ subject, items: [] }]);
      const told = await explain(how);
      assert.equal(explanationAsJson(how, told).subjects[0]?.network, network);
      const line = `  ${subject}: addresses in it may have entries of their own: haverdict list LIST --within ${network}`;
      assert.equal(explanationLines(how, told).includes(line), network !== undefined);
    }
  });

  it('lets an earlier kind win over a later, and an allow of any kind over both', async () => {
    const ip = { subject: 'ip:203.0.113.7', items: [{ ...deny, subject: 'ip:203.0.113.7' }] };
    const host = { subject: 'host:a.example', items: [{ ...deny, subject: 'host:a.example', status: 429 }] };
    const path = { subject: 'path:/x', items: [{ subject: 'path:/x', list: 'feed', action: 'allow' }] };
    const first = await explain(request([host, ip]));
    assert.deepEqual(
      [first.decision.status, first.winner?.why],
      [429, 'host:a.example takes precedence over ip:203.0.113.7'],
    );
    assert.equal((await explain(request([host, ip, path]))).decision.action, 'allow');
  });

  it('shows what no agent asks about, and does not count it', async () => {
    const host = {
      subject: 'host:a.example',
      items: [{ ...deny, subject: 'host:a.example' }],
      notLookedUp: 'not asked',
    };
    const told = await explain(request([host]));
    assert.deepEqual([told.winner, told.entries[0]?.state, told.decision.action], [undefined, 'not asked', 'allow']);
  });

  it('refuses a path as it is spelled, or lets no allow for it count', async () => {
    const allow = { subject: 'path:/a/*', list: 'feed', action: 'allow' } as const;
    const items = [{ ...deny, subject: 'path:/*' }, allow];
    const told = async (odd?: 'refuse' | 'pass') => {
      const { decision, entries } = await explain(request([{ subject: 'path:/a/..%2Fb', items, ...(odd && { odd }) }]));
      return [decision.action, decision.status, ...entries.map(({ state }) => state)];
    };
    assert.deepEqual(await told(), ['allow', undefined, 'loses', 'wins']);
    assert.deepEqual(await told('refuse'), ['deny', 400, 'not asked', 'not asked']);
    assert.deepEqual(await told('pass'), ['deny', undefined, 'wins', 'not asked']);
  });

  it('takes a path as it was typed for odd, and no other', () => {
    const odd = oddPathsIn(['path:/%61', 'PATH:/b/../c', 'path:/d', 'host:a', 'path:/e/*', 'path:/f%2Fg']);
    assert.deepEqual([...odd], ['path:/a', 'path:/c', 'path:/f%2Fg']);
  });

  it('shows what a message in shadow mode would do', async () => {
    const ip = { subject: 'ip:203.0.113.7', items: [{ ...deny, subject: 'ip:203.0.113.7' }] };
    const { decision } = await explain({ ...request([ip]), shadow: true });
    assert.deepEqual([decision.action, decision.shadow], ['log', 'deny']);
  });
});

function request(subjects: ExplainRequest['subjects']): ExplainRequest {
  return {
    subjects,
    lists: ['manual', 'feed'],
    shadowLists: [],
    listActions: {},
    shadow: false,
    nowMs: NOW_SECONDS * 1000,
  };
}

async function explained(
  store: MemoryStore,
  subjects: readonly string[],
  how: Pick<ExplainRequest, 'lists' | 'shadowLists' | 'listActions'>,
) {
  const asked = await Promise.all(
    subjects.map(async (subject) => ({ subject, items: await itemsCovering(parseSubject(subject), store) })),
  );
  return explain({ ...request(asked), ...how });
}

async function checked(
  store: MemoryStore,
  subjects: readonly string[],
  { lists, shadowLists, listActions }: Pick<ExplainRequest, 'lists' | 'shadowLists' | 'listActions'>,
) {
  return (
    await check(
      { lists: [...lists], shadowLists: [...shadowLists], listActions, subjects: [...subjects] },
      checkDeps(store),
    )
  ).verdicts.map(({ entry }) => entry ?? undefined);
}

async function storeWith(world: readonly StoredEntry[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const entry of world) await store.put(entry);
  return store;
}

function keyOfWinner({ winner }: Explanation) {
  return winner?.listed.state === 'good' ? [winner.listed.entry.subject, winner.listed.entry.list] : undefined;
}
