import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import type { Decision } from '../../../agent/decision/decision.ts';
import { Enforcement } from '../../../agent/decision/enforcement.ts';
import { Engine } from '../../../agent/decision/engine.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import { type Decider, type MessageConfig, MessageHandler } from '../../../agent/server/message-handler.ts';
import { ReferenceIds } from '../../../agent/server/reference-id.ts';
import { Connection } from '../../../spop/connection.ts';
import type { NotifyHandler } from '../../../spop/notify-handler.ts';
import { HandClock } from '../../support/clock.ts';
import { ALL_RULES } from '../../support/rules.ts';
import { longRuns } from '../../support/scope.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';
import { values } from '../../support/spop/frames.ts';
import {
  type FrameParts,
  frame,
  fromHex,
  HEALTH_CHECK,
  hello,
  ipv4,
  join,
  type Message,
  messages,
  notify,
  type Pair,
  parseFrames,
  prefixed,
  str,
  toHex,
  u32,
  type Value,
} from '../../support/spop/naive-codec.ts';

const RULES: readonly MessageConfig[] = [
  { name: 'check', policy: { default: 'closed' }, kinds: ['ip'], target: { scope: 'txn', vars: new Map() } },
  { name: 'other', policy: { default: 'open' }, kinds: ['ip', 'host'], target: { scope: 'txn', vars: new Map() } },
];
const ALLOW: Decision = { action: 'allow', source: 'cache' };
const DENY: Decision = { action: 'deny', source: 'cache', list: 'manual', reason: 'abuse', ofAddress: true };
const LONG: Decision = { action: 'deny', source: 'cache', list: 'manual', reason: 'r'.repeat(200), entry: 'ip:::/16' };

/** Everybody is known but those whose last byte says otherwise. */
function known(address: Address): Decision | undefined {
  const last = (address.words === 1 ? address.a : address.d) & 7;
  return [ALLOW, DENY, LONG, undefined][last & 3];
}

/** One end of HAProxy, answered by the hot path too or by the long way alone. */
class Line {
  readonly decided: string[] = [];
  readonly problems: string[] = [];
  readonly #connection: Connection;
  #sent: Uint8Array[] = [];
  /** Whether those who are not known are asked for, without an end. */
  waits = false;

  constructor(isHot: boolean, greeting = hello({ 'max-frame-size': u32(4096) }), more: Partial<MessageConfig> = {}) {
    const decider: Decider = {
      decide: ({ address, problem }) => {
        if (problem === undefined && address.words !== 0) return this.#decide(address, known(address));
        this.decided.push('nobody');
        return problem === undefined ? ALLOW : { ...ALLOW, reason: problem };
      },
      decideAddress: (address, cached) => this.#decide(address, cached as Decision | undefined), // as `cached` returns
      decideKnown: () => assert.fail('never so many wait'),
      cached: known,
    };
    const rules = RULES.map((rule) => ({ ...rule, ...more }));
    const events = { unknownMessage() {}, internalError: (error: unknown) => assert.fail(String(error)) };
    const references = new ReferenceIds(new Uint8Array(12));
    const handler = new MessageHandler(rules, decider, events, undefined, undefined, references);
    const current: NotifyHandler = {
      answer: (...asked) => handler.answer(...asked),
      overload: (...asked) => handler.overload(...asked),
      ...(isHot && { answerUsual: (...asked) => handler.answerUsual(...asked) }),
    };
    const transport = {
      write: (bytes: Uint8Array) => {
        this.#sent.push(bytes.slice());
        return true;
      },
      end() {},
    };
    this.#connection = new Connection(transport, { current }, new HandClock(), {
      protocolError: ({ status, message }) => this.problems.push(`${status} ${message}`),
      disconnectReceived() {},
      answered() {},
      answeredLate() {},
      healthChecked() {},
    });
    this.#connection.receive(greeting);
    this.#sent = [];
  }

  #decide(address: Address, decision: Decision | undefined): Decision | Promise<Decision> {
    this.decided.push(`${address}`);
    return decision ?? (this.waits ? new Promise(() => {}) : ALLOW);
  }

  receive(chunk: Uint8Array): string {
    this.#connection.receive(chunk);
    return toHex(join(...this.#sent.splice(0)));
  }
}

const byte = fc.nat(255);
const address: fc.Arbitrary<Value> = fc.oneof(
  fc.tuple(byte, byte, byte, byte).map((bytes) => ipv4(...bytes)),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value): Value => ({ type: 'ipv6', value })),
  byte.map(
    (last): Value => ({ type: 'ipv6', value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, last) }),
  ),
);
const filler: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(...values),
  fc.constantFrom(0, 1, 239, 240, 241, 2287, 2288, 5000).map((length) => str('x'.repeat(length))),
);
const argument: fc.Arbitrary<Pair> = fc.oneof(
  address.map((value): Pair => ['ip', value]),
  fc.tuple(
    fc.constantFrom('ip', 'pi', 'i', 'ipx', '', 'path', 'host', 'n'.repeat(300)),
    fc.oneof(filler, address),
  ) as fc.Arbitrary<Pair>,
);
const message = fc
  .tuple(fc.constantFrom('check', 'check', 'check', 'chec', 'other', 'chech', ''), fc.array(argument, { maxLength: 6 }))
  .map(([name, args]): Message => [name, ...args]);
/** One that the hot path takes, once its decision has been told. */
const length = fc.constantFrom(0, 5, 239, 240, 700, 2200);
const usual = fc
  .tuple(address, length, length)
  .map(
    ([value, ...lengths]): Message => [
      'check',
      ['ip', value],
      ...lengths.map((each): Pair => ['ua', str('x'.repeat(each))]),
    ],
  );
const id = fc.oneof(fc.bigInt(1n, 300n), fc.constantFrom(0n, 239n, 240n, 2287n, 2288n, 2n ** 63n, 2n ** 64n - 1n));
const parts = fc.record({
  type: fc.oneof({ weight: 30, arbitrary: fc.constant(3) }, fc.constantFrom(0, 2, 103, 200)),
  flags: fc.oneof({ weight: 30, arbitrary: fc.constant(1) }, fc.constantFrom(0, 2, 3, 0x0100_0001)),
  stream: id,
  frame: id,
  payload: fc.oneof(
    { weight: 12, arbitrary: usual.map((one) => messages([one])) },
    { weight: 6, arbitrary: message.map((one) => messages([one])) },
    { weight: 1, arbitrary: fc.array(message, { maxLength: 3 }).map(messages) },
    { weight: 1, arbitrary: fc.array(byte, { maxLength: 20 }) },
  ),
}) satisfies fc.Arbitrary<FrameParts>;
/** Frames in a row, cut into chunks anywhere, with a few bytes changed. */
const stream = fc.record({
  frames: fc.array(parts, { minLength: 1, maxLength: 12 }),
  cuts: fc.array(fc.nat(2000), { maxLength: 4 }),
  changes: fc.array(fc.tuple(fc.nat(2000), byte), { maxLength: 2 }),
});

describe('the hot path', () => {
  it('answers exactly as without it, whatever comes', () => {
    fc.assert(
      fc.property(stream, ({ frames, cuts, changes }) => {
        const bytes = join(...frames.map((each) => frame(each)));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const [hot, long] = [new Line(true), new Line(false)];
        const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        for (const [index, end] of ends.entries()) {
          const chunk = bytes.subarray(ends[index - 1] ?? 0, end);
          assert.equal(hot.receive(chunk.slice()), long.receive(chunk.slice()));
        }
        assert.deepEqual(hot.problems, long.problems);
      }),
      { numRuns: longRuns(5000) },
    );
  });

  it('refuses what is refused without it, at its edges', () => {
    const told = notify(1, 1, ['check', ['ip', ipv4(1, 2, 3, 1)]]);
    const payload = toHex(messages([['check', ['ip', ipv4(1, 2, 3, 1)]]]));
    const body = (ids: string) => fromHex(`03 00000001 ${ids} ${payload}`);
    for (const [ids, status] of [
      ['f0ffffffffffffffff7f 01', undefined],
      ['f080808080808080808000 01', 4],
      ['01 f080808080808080808000', 4],
      ['01 00', 4],
      ['01 01', undefined],
    ] as const)
      for (const line of [new Line(true), new Line(false)]) {
        line.receive(told);
        line.receive(prefixed(body(ids)));
        assert.deepEqual(
          line.problems.map((problem) => Number(problem[0])),
          status === undefined ? [] : [status],
          ids,
        );
      }
  });

  it('is not taken before HELLO, nor in a health check', () => {
    for (const greeting of [new Uint8Array(0), HEALTH_CHECK])
      for (const isHot of [true, false]) {
        const line = new Line(isHot, greeting);
        line.receive(notify(1, 1, ['check', ['ip', ipv4(1, 2, 3, 1)]]));
        assert.match(line.problems.join(), /^4 /);
      }
  });

  it('sees no frame in the middle of one, whatever the header of a client says', () => {
    const smuggled = notify(9, 1, ['check', ['ip', ipv4(9, 9, 9, 0)]]);
    const outer = notify(1, 1, ['check', ['ip', ipv4(1, 2, 3, 1)], ['ua', { type: 'string', value: smuggled }]]);
    const line = new Line(true);
    line.receive(notify(2, 1, ['check', ['ip', ipv4(1, 2, 3, 0)]]));
    line.receive(notify(3, 1, ['check', ['ip', ipv4(1, 2, 3, 1)]]));
    const at = outer.length - smuggled.length;
    assert.equal(line.receive(outer.slice(0, at)), '');
    assert.deepEqual(
      parseFrames(Buffer.from(line.receive(outer.slice(at)), 'hex')).map(({ streamId }) => streamId),
      [1n],
    );
  });

  it('is not taken while frames wait, so that a frame with the ids of one is refused', () => {
    for (const isHot of [true, false]) {
      const line = new Line(isHot);
      line.receive(notify(1, 1, ['check', ['ip', ipv4(1, 2, 3, 0)]]));
      line.waits = true;
      line.receive(notify(5, 1, ['check', ['ip', ipv4(1, 2, 3, 3)]]));
      line.receive(notify(5, 1, ['check', ['ip', ipv4(1, 2, 3, 0)]]));
      assert.match(line.problems.join(), /^4 /);
    }
  });

  it('answers as without it in shadow mode and with routes', () => {
    const enforcement = new Enforcement(
      { message: 'check', rules: ALL_RULES, shadow: true },
      { unsupported() {}, shadowed() {} },
    );
    const lines = [true, false].map((isHot) => new Line(isHot, hello(), { enforcement }));
    for (let round = 0; round < 3; round++)
      for (let last = 0; last < 3; last++) {
        const asked = notify(round * 3 + last + 1, 1, ['check', ['ip', ipv4(1, 2, 3, last)]]);
        const [hot, long] = lines.map((line) => line.receive(asked));
        assert.equal(hot, long);
        assert.ok(!Buffer.from(hot ?? '', 'hex').includes('action\x08\x04deny'));
      }
  });

  it('takes every usual frame once its decision is encoded, and no other', () => {
    const line = new Line(true);
    const ask = (first: number, ...more: Pair[]) =>
      notify(first, 1, [
        'check',
        ['ip', ipv4(first, 0, 0, 1)],
        ['path', str('/')],
        ['ua', str('x'.repeat(700))],
        ...more,
      ]);
    line.receive(ask(1));
    assert.deepEqual(line.decided, ['1.0.0.1'], 'told for the first time');
    const sent = line.receive(join(...[2, 3, 4, 5].map((first) => ask(first))));
    assert.equal(parseFrames(Buffer.from(sent, 'hex')).length, 4);
    assert.deepEqual(line.decided, ['1.0.0.1']);
    line.receive(join(ask(6), ask(7, ['port', { type: 'uint32', value: 80n }]), ask(8)));
    assert.deepEqual(line.decided, ['1.0.0.1', '7.0.0.1'], 'the one with a number in it');
  });

  it('stops at frames with unknown addresses, and takes those behind them', () => {
    const line = new Line(true);
    const ask = (first: number, last: number) => notify(first, 1, ['check', ['ip', ipv4(first, 0, 0, last)]]);
    line.receive(ask(1, 0));
    line.receive(join(ask(2, 0), ask(3, 3), ask(4, 0)));
    assert.deepEqual(line.decided, ['1.0.0.0', '3.0.0.3']);
  });
});

describe('an address that is not in the cache', () => {
  it('is looked up there once, and is never parsed from text', async (t) => {
    const clock = new HandClock();
    const cache = new VerdictCache(
      { maxEntries: 100, allowTtlSeconds: 60, denyTtlSeconds: 60, policyTtlSeconds: 1 },
      { ifErrorSeconds: 60, revalidateSeconds: 5 },
      clock,
    );
    const lookUp = t.mock.method(cache, 'lookupAddress');
    const readText = t.mock.method(Address.prototype, 'readText');
    const backend = new ScriptedBackend();
    const batch = { windowMs: 1, maxSubjects: 100 };
    const loader = new Loader(backend, cache, clock, {
      maxConcurrent: 8,
      maxCallsPerSecond: 1000,
      deadlineMs: 40,
      batch,
    });
    const engine = new Engine({ cache, loader, clock }, 40);
    const fail = (error: unknown) => assert.fail(String(error));
    const handler = new MessageHandler(RULES, engine, { unknownMessage: fail, internalError: fail });
    const sent: Uint8Array[] = [];
    const peer = { write: (bytes: Uint8Array) => sent.push(bytes.slice()) > 0, end() {} };
    const events = {
      protocolError: fail,
      disconnectReceived: fail,
      answered() {},
      answeredLate() {},
      healthChecked() {},
    };
    const connection = new Connection(peer, { current: handler }, clock, events);
    connection.receive(hello());
    connection.receive(notify(1, 1, ['check', ['ip', ipv4(192, 0, 2, 1)]]));
    assert.equal(lookUp.mock.callCount(), 1);
    connection.receive(notify(2, 1, ['check', ['ip', ipv4(192, 0, 2, 2)]]));
    assert.equal(lookUp.mock.callCount(), 2, 'also while the first one waits');
    clock.advance(1);
    await settled();
    assert.deepEqual(backend.call(0).subjects, ['ip:192.0.2.1', 'ip:192.0.2.2']);
    backend.call(0).answer([{ entry: null }, { entry: null }]);
    await settled();
    assert.equal(sent.length, 2, 'HELLO and both ACKs');
    connection.receive(notify(3, 1, ['check', ['ip', ipv4(192, 0, 2, 2)]]));
    assert.deepEqual([lookUp.mock.callCount(), sent.length], [3, 3]);
    assert.equal(readText.mock.callCount(), 0);
  });
});
