import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { type Decision, decisionOf } from '../../../agent/decision/decision.ts';
import { AckAddressWriter } from '../../../agent/server/ack-address-writer.ts';
import { AckEncoder } from '../../../agent/server/ack-encoder.ts';
import type { VariableTarget } from '../../../agent/server/encode-decision.ts';
import { ReferenceIds } from '../../../agent/server/reference-id.ts';
import { DecisionStats } from '../../../agent/state/decision-stats.ts';
import { varsOf } from '../../../haproxy/variables.ts';
import { fitted, NO_ACTIONS, payloadBytes } from '../../../spop/ack-payload.ts';
import { HandClock } from '../../support/clock.ts';
import { parseActions } from '../../support/spop/naive-codec.ts';

/** As of an ACK with HAProxy's usual buffers. */
const ROOM = 790;

function encoder(target: Partial<VariableTarget> = {}) {
  const problems: unknown[] = [];
  const vars = varsOf({ requestHeaders: ['X-Plan'], responseHeaders: [] });
  const dynamic = new AckAddressWriter(new Address());
  const stats = new DecisionStats(new HandClock());
  const events = { internalError: (error: unknown) => void problems.push(error) };
  return {
    encoder: new AckEncoder(
      { name: 'check-request', target: { scope: 'txn', vars, ...target } },
      dynamic,
      new ReferenceIds(new Uint8Array(12)),
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

describe('the encoder of a message', () => {
  it('encodes a decision once, however many others come in between', () => {
    const { encoder: one } = encoder();
    const decisions = Array.from({ length: 5 }, (_, index) => decisionOf(entry(`${index}`), 'cache'));
    const answers = decisions.map((decision) => one.encode(decision, ROOM));
    assert.equal(new Set(answers).size, 5);
    for (let round = 0; round < 2; round++)
      for (const [index, decision] of decisions.entries()) assert.equal(one.encode(decision, ROOM), answers[index]);
    for (const [index, decision] of decisions.entries()) assert.equal(one.known(decision)?.ack, answers[index]);
    assert.equal(one.known(decisionOf(entry('new'), 'cache')), undefined);
  });

  it('has no known encoding in shadow mode, so that each decision is logged', () => {
    const { encoder: one } = encoder();
    const logged: Decision = { action: 'log', shadow: 'deny', source: 'cache', list: 'new' };
    const answer = one.encode(logged, ROOM);
    for (let round = 0; round < 3; round++) {
      assert.equal(one.known(logged), undefined);
      assert.equal(one.encode(logged, ROOM), answer, 'and encodes it once all the same');
    }
  });

  it('sets variables in the scope of its message, with the prefix of its group', () => {
    const decision = decisionOf({ ...entry('a'), vars: { path: '/', 'req.set.x-plan': 'gold' } }, 'cache');
    const names = ['action', 'source', 'path', 'req.set.x_plan', 'list', 'ref', 'entry'];
    for (const scope of ['sess', 'txn', 'req', 'res'] as const)
      assert.deepEqual(
        namesIn(encoder({ scope }).encoder.encode(decision, ROOM).full),
        names.map((name) => `${scope}.${name}`),
      );
    const { full } = encoder({ group: 'login' }).encoder.encode(decision, ROOM);
    assert.deepEqual(
      namesIn(full),
      names.map((name) => `txn.login.${name}`),
    );
  });

  it('sets no variable outside the vocabulary, wherever the decision comes from', () => {
    const vars = JSON.parse(
      '{"__proto__":"x","constructor":"x","req.set.x-other":"x","res.set.x-plan":"x","split":"b=1","backend":"b"}',
    );
    const { encoder: one, problems } = encoder();
    assert.deepEqual(namesIn(one.encode({ action: 'route', source: 'backend', vars }, ROOM).essential), [
      'txn.action',
      'txn.source',
      'txn.backend',
    ]);
    assert.deepEqual(problems, []);
  });

  it('sends no actions, and reports it, if HAProxy would not accept the name of a variable', () => {
    const { encoder: one, problems } = encoder({ group: 'x'.repeat(40) });
    assert.equal(one.encode(decisionOf(null, 'cache'), ROOM).full, NO_ACTIONS.full);
    assert.equal(problems.length, 1);
  });

  it('gives each deny a reference id, the same in the ACK and in the record, and none to an allow', () => {
    const { encoder: one, stats } = encoder();
    const told = [
      one.encode(decisionOf(entry('a'), 'cache'), ROOM),
      one.encode(decisionOf(null, 'cache'), ROOM),
      one.encode(decisionOf({ ...entry('b'), action: 'tarpit' }, 'cache'), ROOM),
      one.encode(decisionOf({ ...entry('b'), action: 'tag' }, 'cache'), ROOM),
    ].map(({ full }) => referenceIn(full) !== undefined);
    assert.deepEqual(told, [true, false, true, false]);
    const later = one.encodeLater(decisionOf({ ...entry('c'), action: 'drop' }, 'cache'), undefined, ROOM);
    one.encode(decisionOf(entry('d'), 'cache'), ROOM);
    assert.equal(referenceIn(later.full), '000000000003');
    assert.deepEqual(
      stats.state.recent.map(({ ref }) => ref),
      [4, 3, 2, 1].map((nth) => `00000000000${nth}`),
    );
  });

  it('records no reference id that did not fit into the ACK', () => {
    const long = { ...entry('a'), reason: 'r'.repeat(100) } as const;
    for (const [room, ref] of [
      [ROOM, '000000000001'],
      [100, '000000000001'],
      [40, ''],
    ] as const)
      for (const isLate of [false, true]) {
        const { encoder: one, stats } = encoder();
        const decision = decisionOf(long, 'cache');
        const answer = isLate ? one.encodeLater(decision, undefined, room) : one.encode(decision, room);
        assert.equal(stats.state.recent[0]?.ref, ref, `${room}`);
        const sent = payloadBytes(fitted(room, answer));
        assert.ok(sent.length <= room);
        assert.equal(referenceIn(sent) ?? '', ref);
      }
  });
});

/** The text of the variable `ref`. */
function referenceIn(bytes: Uint8Array): string | undefined {
  const values = parseActions(bytes).flatMap((action) =>
    action.type === 'set-var' && action.name === 'ref' && action.value.type === 'string' ? [action.value.value] : [],
  );
  return values.map((value) => Buffer.from(value).toString())[0];
}
