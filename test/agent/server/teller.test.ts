import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { type Decision, decisionOf } from '../../../agent/decision/decision.ts';
import { AddressSuffix } from '../../../agent/server/address-suffix.ts';
import { NO_ANSWER, type Outlet, type Suffix, within } from '../../../agent/server/answer.ts';
import { References } from '../../../agent/server/reference.ts';
import { Teller } from '../../../agent/server/teller.ts';
import { DecisionStats } from '../../../agent/state/decision-stats.ts';
import { varsOf } from '../../../haproxy/vocabulary.ts';
import { HandClock } from '../../support/clock.ts';
import { parseActions } from '../../support/spop/naive-codec.ts';

/** As of an ACK with HAProxy's usual buffers. */
const ROOM = 790;

function teller(outlet: Partial<Outlet> = {}) {
  const problems: unknown[] = [];
  const vars = varsOf({ requestHeaders: ['X-Plan'], responseHeaders: [] });
  const suffix = new AddressSuffix(new Address());
  const stats = new DecisionStats(new HandClock());
  const events = { internalError: (error: unknown) => void problems.push(error) };
  return {
    teller: new Teller(
      { name: 'check-request', outlet: { scope: 'txn', vars, ...outlet } },
      suffix,
      new References(new Uint8Array(12)),
      stats,
      events,
    ),
    problems,
    stats,
  };
}

const namesIn = (bytes: Uint8Array) =>
  parseActions(bytes).flatMap(({ type, scope, name }) => (type === 'set-var' ? [`${scope}.${name}`] : []));
const entry = (name: string) => ({ subject: `key:${name}`, list: 'manual', action: 'deny' }) as const;

describe('a teller', () => {
  it('encodes a decision once, however many others come between', () => {
    const { teller: one } = teller();
    const decisions = Array.from({ length: 5 }, (_, index) => decisionOf(entry(`${index}`), 'cache'));
    const answers = decisions.map((decision) => one.tellNow(decision, ROOM));
    assert.equal(new Set(answers).size, 5);
    for (let round = 0; round < 2; round++)
      for (const [index, decision] of decisions.entries()) assert.equal(one.tellNow(decision, ROOM), answers[index]);
    for (const [index, decision] of decisions.entries()) assert.equal(one.known(decision)?.answer, answers[index]);
    assert.equal(one.known(decisionOf(entry('new'), 'cache')), undefined);
  });

  it('knows none that is only logged, so that each can be told to the log', () => {
    const { teller: one } = teller();
    const logged: Decision = { action: 'log', shadow: 'deny', source: 'cache', list: 'new' };
    const answer = one.tellNow(logged, ROOM);
    for (let round = 0; round < 3; round++) {
      assert.equal(one.known(logged), undefined);
      assert.equal(one.tellNow(logged, ROOM), answer, 'and encodes it once all the same');
    }
  });

  it('tells in the scope of its message and with the name of its group', () => {
    const decision = decisionOf({ ...entry('a'), vars: { path: '/', 'req.set.x-plan': 'gold' } }, 'cache');
    const names = ['action', 'source', 'path', 'req.set.x_plan', 'list', 'entry'];
    for (const scope of ['sess', 'txn', 'req', 'res'] as const)
      assert.deepEqual(
        namesIn(teller({ scope }).teller.tellNow(decision, ROOM).full),
        names.map((name) => `${scope}.${name}`),
      );
    const { full } = teller({ group: 'login' }).teller.tellNow(decision, ROOM);
    assert.deepEqual(
      namesIn(full),
      names.map((name) => `txn.login.${name}`),
    );
  });

  it('tells no name outside the vocabulary, wherever the decision comes from', () => {
    const vars = JSON.parse(
      '{"__proto__":"x","constructor":"x","req.set.x-other":"x","res.set.x-plan":"x","split":"b=1","backend":"b"}',
    );
    const { teller: one, problems } = teller();
    assert.deepEqual(namesIn(one.tellNow({ action: 'route', source: 'backend', vars }, ROOM).essential), [
      'txn.action',
      'txn.source',
      'txn.backend',
    ]);
    assert.deepEqual(problems, []);
  });

  it('tells nothing, and says so, where the name of a variable is none for HAProxy', () => {
    const { teller: one, problems } = teller({ group: 'x'.repeat(40) });
    assert.equal(one.tellNow(decisionOf(null, 'cache'), ROOM), NO_ANSWER);
    assert.equal(problems.length, 1);
  });

  it('gives each deny a reference id, the same on the wire and in the record, and an allow none', () => {
    const { teller: one, stats } = teller();
    const told = [
      one.tellNow(decisionOf(entry('a'), 'cache'), ROOM),
      one.tellNow(decisionOf(null, 'cache'), ROOM),
      one.tellNow(decisionOf({ ...entry('b'), action: 'tarpit' }, 'cache'), ROOM),
      one.tellNow(decisionOf({ ...entry('b'), action: 'tag' }, 'cache'), ROOM),
    ].map(({ suffix }) => suffix !== undefined);
    assert.deepEqual(told, [true, false, true, false]);
    const later = one.tellLater(decisionOf({ ...entry('c'), action: 'drop' }, 'cache'), undefined, ROOM);
    one.tellNow(decisionOf(entry('d'), 'cache'), ROOM);
    assert.match(Buffer.from(written(later.suffix)).toString('latin1'), /ref.*000000000003$/);
    assert.deepEqual(
      stats.state.recent.map(({ ref }) => ref),
      [4, 3, 2, 1].map((nth) => `00000000000${nth}`),
    );
  });

  it('records none where there was no room for it, neither beside everything nor beside the least', () => {
    const long = { ...entry('a'), reason: 'r'.repeat(100) } as const;
    for (const [room, ref] of [
      [ROOM, '000000000001'],
      [100, '000000000001'],
      [40, ''],
    ] as const)
      for (const isLate of [false, true]) {
        const { teller: one, stats } = teller();
        const decision = decisionOf(long, 'cache');
        const answer = isLate ? one.tellLater(decision, undefined, room) : one.tellNow(decision, room);
        assert.equal(stats.state.recent[0]?.ref, ref, `${room}`);
        const { actions, suffix } = within(room, answer);
        assert.ok(actions.length + (suffix?.maxBytes ?? 0) <= room);
        assert.equal(suffix !== undefined, ref !== '');
      }
  });
});

function written(suffix: Suffix | undefined): Uint8Array {
  const out = new Uint8Array(suffix?.maxBytes ?? 0);
  return out.subarray(0, suffix?.write(out, 0));
}
