import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import type { Decision } from '../../../agent/decision/decision.ts';
import { Enforcement } from '../../../agent/decision/enforcement.ts';
import type { Question } from '../../../agent/decision/engine.ts';
import { decideByPolicy } from '../../../agent/decision/policy.ts';
import type { VariableTarget } from '../../../agent/server/encode-decision.ts';
import { type Decider, type MessageConfig, MessageHandler } from '../../../agent/server/message-handler.ts';
import { ReferenceIds } from '../../../agent/server/reference-id.ts';
import { DecisionStats } from '../../../agent/state/decision-stats.ts';
import type { Policy, Reason } from '../../../contract/policy.ts';
import type { AckActions } from '../../../spop/ack-payload.ts';
import { OutputBuffer } from '../../../spop/output-buffer.ts';
import { HandClock } from '../../support/clock.ts';
import { referenceOf } from '../../support/reference.ts';
import { ALL_RULES } from '../../support/rules.ts';
import { frameIn } from '../../support/spop/frames.ts';
import {
  actions,
  frame,
  fromHex,
  ipv4,
  type Message,
  notify,
  parseActions,
  parseFrames,
  str,
  toHex,
  type Value,
} from '../../support/spop/naive-codec.ts';
import { vectors } from '../../support/spop/vectors.ts';

/** Before the first one. */
const NO_REFERENCE = new Uint8Array(12);
/** As of an ACK with HAProxy's usual buffers. */
const ROOM = 790;
const TARGET: VariableTarget = { scope: 'txn', vars: new Map() };
const RULES: readonly MessageConfig[] = [
  { name: 'check', policy: { default: 'closed' }, kinds: ['ip', 'host', 'header.x-user'], target: TARGET },
  { name: 'other', policy: { default: 'open' }, kinds: ['path'], target: TARGET },
];
const ALLOW: Decision = { action: 'allow', source: 'cache' };
const DENY: Decision = { action: 'deny', source: 'cache', reason: 'abuse', status: 403 };

/** A question as it was when it was asked: the subjects in their order. */
interface Asked {
  readonly policy: Policy;
  readonly subjects: readonly string[];
  readonly problem?: Reason;
  /** The one for which an allow does not count. */
  readonly odd?: string;
}

function copyOf({ policy, address, texts, addressAt, oddAt, problem }: Question): Asked {
  assert.ok(addressAt <= texts.length);
  const subjects = address.words === 0 ? texts : texts.toSpliced(addressAt, 0, `ip:${address}`);
  const odd = texts[oddAt];
  return { policy, subjects, ...(problem === undefined ? {} : { problem }), ...(odd === undefined ? {} : { odd }) };
}

function setUp(
  decide: (asked: Asked, receivedAtMs: number) => ReturnType<Decider['decide']> = () => ALLOW,
  rules = RULES,
  known: (asked: Asked) => Decision = ({ policy }) => decideByPolicy(policy, 'overload'),
) {
  const questions: Asked[] = [];
  const unknown: string[] = [];
  const errors: unknown[] = [];
  const decider: Decider = {
    decide(question, receivedAtMs) {
      const asked = copyOf(question);
      questions.push(asked);
      return decide(asked, receivedAtMs);
    },
    decideKnown: (question) => known(copyOf(question)),
    cached: () => undefined,
    decideAddress: () => assert.fail('the hot path is not taken'),
  };
  const events = {
    unknownMessage: (name: string) => void unknown.push(name),
    internalError: (error: unknown) => void errors.push(error),
  };
  const stats = new DecisionStats(new HandClock());
  const handler = new MessageHandler(rules, decider, events, undefined, stats, new ReferenceIds(NO_REFERENCE));
  const send = (...list: Message[]) => handler.answer(frameIn(notify(1, 1, ...list)), 7, ROOM);
  return { handler, stats, questions, unknown, errors, send };
}

/** The subjects that are asked when these arguments come. */
function subjects(...args: [string, Value][]): readonly string[] {
  const { questions, send } = setUp();
  send(['check', ...args]);
  return questions[0]?.subjects ?? [];
}

/** The ACK of a NOTIFY, byte for byte as it is sent. */
async function ackOf(handler: MessageHandler, asked: Uint8Array): Promise<string> {
  const output = new OutputBuffer();
  const frame = frameIn(asked);
  const answer = await handler.answer(frame, 0, ROOM);
  output.ack(frame.bytes, frame.idsAt, frame.payloadAt, answer.full, answer.dynamic);
  let sent = '';
  output.flush((bytes) => {
    sent = toHex(bytes);
    return true;
  });
  return sent;
}

/** That ACK by the naive codec. */
const naiveAck = (stream: number, variables: readonly (readonly [name: string, value: Value])[]) =>
  toHex(
    frame({
      type: 103,
      stream,
      frame: 1,
      payload: actions(variables.map(([name, value]) => ({ type: 'set-var', scope: 'txn', name, value }))),
    }),
  );

/** The text of an address by another hand than ours. */
const textOf = (bytes: Uint8Array) =>
  bytes.length === 4
    ? bytes.join('.')
    : new URL(`http://[${toHex(bytes).replaceAll(/(....)(?=.)/g, '$1:')}]`).hostname.slice(1, -1);

/** The variables of an answer, but for the reference id. */
const said = (answer: Awaited<ReturnType<MessageHandler['answer']>>) =>
  Object.fromEntries(
    parseActions(answer.full)
      .filter(({ name }) => name !== 'ref')
      .map((action) => [action.name, 'value' in action ? plain(action.value) : null]),
  );
const plain = (value: Value) =>
  'value' in value ? (value.value instanceof Uint8Array ? Buffer.from(value.value).toString() : value.value) : null;

describe('a message', () => {
  it('is asked for the arguments that its rule names, in the rule’s order, whatever comes between', () => {
    assert.deepEqual(
      subjects(
        ['', str('unnamed')],
        ['header.x-user', str('joe')],
        ['unheard-of', str('x')],
        ['host', str('Shop.Example:443')],
        ['ip', ipv4(203, 0, 113, 7)],
      ),
      ['ip:203.0.113.7', 'host:shop.example', 'header.x-user:joe'],
    );
  });

  it('has no subject where HAProxy has no value', () => {
    const { questions, send } = setUp();
    send(['check', ['ip', ipv4(1, 2, 3, 4)], ['header.x-user', { type: 'null' }], ['host', str('a')]]);
    assert.deepEqual(questions, [{ policy: { default: 'closed' }, subjects: ['ip:1.2.3.4', 'host:a'] }]);
  });

  it('has a problem if a value is not a valid subject, and keeps the other subjects', () => {
    for (const bad of [str('a\r\nb'), { type: 'string', value: fromHex('636166e9') } as const]) {
      const { questions, send } = setUp();
      send(['check', ['header.x-user', bad], ['host', str('a')], ['ip', ipv4(1, 2, 3, 4)]]);
      assert.deepEqual(questions, [
        { policy: { default: 'closed' }, subjects: ['ip:1.2.3.4', 'host:a'], problem: 'bad_subject' },
      ]);
    }
  });

  it('has no problem with a valid value that cannot be listed, nor with an empty one', () => {
    for (const unlisted of [str('x'.repeat(2000)), str('')]) {
      const { questions, send } = setUp();
      send(['check', ['header.x-user', unlisted], ['host', str('a')], ['ip', ipv4(1, 2, 3, 4)]]);
      assert.deepEqual(questions, [{ policy: { default: 'closed' }, subjects: ['ip:1.2.3.4', 'host:a'] }]);
    }
  });

  const addresses: readonly (readonly [Value, string])[] = [
    [ipv4(0, 0, 0, 0), '0.0.0.0'],
    [{ type: 'ipv6', value: fromHex('20010db8000000000000000000000001') }, '2001:db8::1'],
    [{ type: 'ipv6', value: fromHex('00000000000000000000ffffcb007107') }, '203.0.113.7'],
    [str('2001:DB8::1'), '2001:db8::1'],
    [str('203.0.113.7'), '203.0.113.7'],
  ];
  for (const [value, expected] of addresses)
    it(`names the address ${expected} alike, as ${value.type}`, () => {
      assert.deepEqual(subjects(['ip', value]), [`ip:${expected}`]);
    });

  it('may carry a value of any type', () => {
    for (const [value, expected] of [
      [{ type: 'bool', value: true }, 'true'],
      [{ type: 'bool', value: false }, 'false'],
      [{ type: 'int64', value: -5n }, '-5'],
      [{ type: 'uint64', value: 2n ** 64n - 1n }, '18446744073709551615'],
      [{ type: 'binary', value: fromHex('616263') }, 'abc'],
      [ipv4(1, 2, 3, 4), '1.2.3.4'],
      [str('caf\u00e9'), 'caf\u00e9'],
      [{ type: 'string', value: fromHex('efbfbd') }, '\ufffd'],
      [{ type: 'string', value: fromHex('efbbbf61') }, '\ufeffa'],
    ] as const)
      assert.deepEqual(subjects(['header.x-user', value]), [`header.x-user:${expected}`]);
  });

  it('keeps the last of repeated arguments', () => {
    assert.deepEqual(subjects(['host', str('a')], ['host', str('b')]), ['host:b']);
  });

  it('that is not in the configuration is reported, and answered without actions', () => {
    const { send, unknown, questions } = setUp();
    assert.deepEqual(send(['checks', ['ip', ipv4(1, 2, 3, 4)]], ['chec']), {
      full: new Uint8Array(0),
      essential: new Uint8Array(0),
    });
    assert.deepEqual([unknown, questions], [['checks', 'chec'], []]);
  });

  it('without arguments is asked all the same', () => {
    const { send, questions } = setUp();
    send(['check']);
    assert.deepEqual(questions[0]?.subjects, []);
  });

  it('may be missing: 3.1.0 and 3.2.0 send an empty NOTIFY', () => {
    const { send, questions, unknown } = setUp();
    assert.deepEqual(send(), { full: new Uint8Array(0), essential: new Uint8Array(0) });
    assert.deepEqual([questions, unknown], [[], []]);
  });

  it('is asked with the time at which its chunk came', () => {
    let at = 0;
    setUp((_question, receivedAtMs) => {
      at = receivedAtMs;
      return ALLOW;
    }).send(['check']);
    assert.equal(at, 7);
  });
});

describe('an answer', () => {
  it('is at hand when the decision is, also for several messages', () => {
    const { send } = setUp(({ subjects: [first] }) => (first === 'path:/bad' ? DENY : ALLOW));
    for (const list of [
      [['check']],
      [['check'], ['other']],
      [['check'], ['unheard-of'], ['other', ['path', str('/bad')]]],
    ] as Message[][])
      assert.ok(!(send(...list) instanceof Promise));
  });

  it('is that to the first message that is not allowed', async () => {
    for (const late of [false, true]) {
      const { send } = setUp(({ subjects: [first] }) => {
        const decision = first === 'path:/bad' ? DENY : ALLOW;
        return late ? Promise.resolve(decision) : decision;
      });
      assert.equal(said(await send(['check'], ['other', ['path', str('/bad')]])).action, 'deny');
      assert.equal(said(await send(['other', ['path', str('/good')]], ['check'])).action, 'allow');
    }
  });

  it('is by policy, and reported, if our own code throws or rejects', async () => {
    const bug = new Error('bug');
    for (const decide of [
      () => {
        throw bug;
      },
      () => Promise.reject(bug),
    ]) {
      const { send, errors } = setUp(decide);
      const expected = { action: 'deny', source: 'policy', reason: 'internal_error', status: 503n };
      assert.deepEqual(said(await send(['check', ['ip', ipv4(1, 2, 3, 4)]])), expected);
      assert.deepEqual(said(await send(['other', ['path', str('/')]])), {
        action: 'allow',
        source: 'policy',
        reason: 'internal_error',
      });
      assert.deepEqual(errors, [bug, bug]);
    }
  });

  it('is a protocol error for a payload that cannot be trusted, however late in it', () => {
    const { handler, errors } = setUp();
    const bytes = notify(1, 1, ['check', ['ip', ipv4(1, 2, 3, 4)]], ['unheard-of', ['a', str('bcd')]]);
    bytes[3] = (bytes[3] as number) - 1; // a length of one byte less
    const broken = frameIn(bytes.subarray(0, -1));
    for (const act of [() => handler.answer(broken, 0, ROOM), () => handler.overload(broken, 0, ROOM)])
      assert.throws(act, { name: 'SpopError', status: 4 });
    assert.deepEqual(errors, []);
  });

  it('is a protocol error, and no failure of ours, when what cannot be trusted is asked for', () => {
    const { handler, errors, questions } = setUp();
    for (const payload of [
      '05636865636b 01 026970 06 7f0000',
      '05636865636b 01 04686f7374 0805 6161',
      '05636865636b 02 026970 00',
    ])
      assert.throws(
        () => handler.answer(frameIn(frame({ type: 3, stream: 1, frame: 1, payload: fromHex(payload) })), 0, ROOM),
        { name: 'SpopError', status: 4 },
      );
    assert.deepEqual([errors, questions], [[], []]);
  });

  it('is each decision’s own, whichever were encoded just before', () => {
    const decisions: readonly Decision[] = ['a', 'b', 'c', 'd'].map((reason) => ({ ...DENY, reason }));
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }), (order) => {
        let next = 0;
        const { send } = setUp(() => decisions[order[next++] as number] as Decision); // in bounds
        for (const index of order) assert.equal(said(send(['check']) as AckActions).reason, decisions[index]?.reason); // decided at once
      }),
    );
  });

  it('of a message in shadow mode is not enforced when it is the policy that decides, either', async () => {
    const told: Decision[] = [];
    const enforcement = new Enforcement(
      { message: 'check', rules: ALL_RULES, shadow: true },
      { shadowed: (_message, decision) => told.push(decision), unsupported: () => assert.fail() },
    );
    const rules = RULES.map((rule) => ({ ...rule, enforcement }));
    const { handler, errors, send } = setUp(() => assert.fail('broken'), rules);
    const overloaded = said(handler.overload(frameIn(notify(1, 1, ['check', ['ip', ipv4(192, 0, 2, 1)]])), 0, ROOM));
    assert.deepEqual([overloaded.action, overloaded.reason], ['log', 'overload']);
    const failed = said(await send(['check', ['ip', ipv4(192, 0, 2, 1)]]));
    assert.deepEqual([failed.action, failed.reason], ['log', 'internal_error']);
    assert.equal(errors.length, 1);
    assert.deepEqual(
      told.map(({ reason }) => reason),
      ['overload', 'internal_error'],
    );
  });

  it('under overload is by the cache, at once, without a lookup', () => {
    const asked: unknown[] = [];
    const { handler, questions } = setUp(undefined, undefined, (question) => {
      asked.push(question);
      return question.subjects.includes('ip:192.0.2.1') ? DENY : decideByPolicy(question.policy, 'overload');
    });
    const answer = (...list: Message[]) => said(handler.overload(frameIn(notify(1, 1, ...list)), 7, ROOM));
    const listed: Message = ['check', ['ip', ipv4(192, 0, 2, 1)]];
    assert.deepEqual(answer(listed), { action: 'deny', source: 'cache', reason: 'abuse', status: 403n });
    assert.deepEqual(asked, [{ policy: { default: 'closed' }, subjects: ['ip:192.0.2.1'], problem: 'bad_subject' }]);
    assert.equal(answer(['other', ['path', str('/')]], listed).reason, 'abuse');
    assert.deepEqual(questions, []);
  });

  it('under overload is by policy if nothing is cached', () => {
    const { handler, questions } = setUp();
    const answer = (...list: Message[]) => said(handler.overload(frameIn(notify(1, 1, ...list)), 7, ROOM));
    assert.deepEqual(answer(['other', ['path', str('/')]], ['check']), {
      action: 'deny',
      source: 'policy',
      reason: 'overload',
      status: 503n,
    });
    assert.deepEqual(answer(['other']), { action: 'allow', source: 'policy', reason: 'overload' });
    assert.deepEqual(answer(), {});
    assert.deepEqual(questions, []);
  });
});

describe('an entry that is the address of the request itself', () => {
  const OF_ADDRESS: Decision = { action: 'deny', source: 'cache', status: 403, list: 'manual', ofAddress: true };
  const expected = (stream: number, address: Uint8Array, nth: number, length = '') =>
    naiveAck(stream, [
      ['action', str('deny')],
      ['source', str('cache')],
      ['status', { type: 'int64', value: 403n }],
      ['list', str('manual')],
      ['ref', str(referenceOf(NO_REFERENCE, nth))],
      ['entry', str(`ip:${textOf(address)}${length}`)],
    ]);
  const inBytes = (value: Uint8Array): Value => ({ type: value.length === 4 ? 'ipv4' : 'ipv6', value });
  const ask = (stream: number, value: Value) => notify(stream, 1, ['check', ['ip', value]]);
  const byte = fc.oneof(fc.constantFrom(0, 0, 1, 9, 10, 99, 100, 255), fc.nat(255));
  const address = fc
    .oneof(
      fc.array(byte, { minLength: 4, maxLength: 4 }),
      fc.array(byte, { minLength: 16, maxLength: 16 }).map(([first, ...rest]) => [first === 0 ? 0x20 : first, ...rest]),
    )
    .map((bytes) => Uint8Array.from(bytes as number[])); // sixteen, so there is a first

  it('is named to the byte, at once or later, with one encoding of all the rest', async () => {
    for (const late of [false, true]) {
      const { handler } = setUp(() => (late ? Promise.resolve(OF_ADDRESS) : OF_ADDRESS));
      let nth = 0;
      await fc.assert(
        fc.asyncProperty(address, fc.nat(10_000), async (bytes, stream) => {
          assert.equal(await ackOf(handler, ask(stream, inBytes(bytes))), expected(stream, bytes, ++nth));
        }),
        { numRuns: 500 },
      );
    }
  });

  it('is named in canonical text, however it was written', async () => {
    const { handler } = setUp(() => OF_ADDRESS);
    let nth = 0;
    for (const [written, bytes] of [
      ['2001:DB8:0:0:0:0:0:1', fromHex('20010db8000000000000000000000001')],
      ['::ffff:203.0.113.7', fromHex('cb007107')],
      ['255.255.255.255', fromHex('ffffffff')],
      ['ffff:eeee:dddd:cccc:bbbb:aaaa:9999:8888', fromHex('ffffeeeeddddccccbbbbaaaa99998888')],
    ] as const)
      assert.equal(await ackOf(handler, ask(1, str(written))), expected(1, bytes, ++nth));
  });

  it('is the network of the address with an ipv6Prefix', async () => {
    const decide = () => OF_ADDRESS;
    const decider: Decider = { decide, decideKnown: decide, decideAddress: decide, cached: () => undefined };
    const events = { unknownMessage() {}, internalError: (error: unknown) => assert.fail(String(error)) };
    const handler = new MessageHandler(
      RULES,
      decider,
      events,
      new Address(64),
      new DecisionStats(new HandClock()),
      new ReferenceIds(NO_REFERENCE),
    );
    const asked = ask(1, inBytes(fromHex('20010db8000000000123456789abcdef')));
    assert.equal(await ackOf(handler, asked), expected(1, fromHex('20010db8000000000000000000000000'), 1, '/64'));
  });

  it('is each message’s own if a frame has several', async () => {
    const rules: readonly MessageConfig[] = ['first', 'second', 'third'].map((name) => ({
      name,
      policy: { default: 'open' },
      kinds: ['ip'],
      target: TARGET,
    }));
    const allowed: Decision = { ...OF_ADDRESS, action: 'allow' };
    const addresses = ['192.0.2.1', '2001:db8::2', '192.0.2.3'];
    for (let denied = 0; denied < 3; denied++)
      for (const lateAt of [undefined, 0, 1, 2]) {
        const { handler } = setUp(({ subjects: [subject] }) => {
          const at = addresses.indexOf(subject?.slice(3) ?? '');
          const decision = at >= denied ? OF_ADDRESS : allowed;
          return at === lateAt ? Promise.resolve(decision) : decision;
        }, rules);
        const list = rules.map(({ name }, index): Message => [name, ['ip', str(addresses[index] as string)]]); // three
        const sent = fromHex(await ackOf(handler, notify(1, 1, ...list)));
        const variables = parseActions(parseFrames(sent)[0]?.payload ?? new Uint8Array(0));
        assert.deepEqual(variables.map((each) => [each.name, 'value' in each ? plain(each.value) : null]).slice(-2), [
          ['ref', referenceOf(NO_REFERENCE, 1)],
          ['entry', `ip:${addresses[denied]}`],
        ]);
      }
  });

  it('is not named by an address that came before, where this message has none', async () => {
    const { handler, questions } = setUp(({ subjects: asked }) => (asked.length === 0 ? ALLOW : OF_ADDRESS));
    const bytes = fromHex('cb007107');
    assert.equal(await ackOf(handler, ask(1, inBytes(bytes))), expected(1, bytes, 1));
    const bad: Message = ['check', ['ip', str('no address')]];
    for (const message of [['check'], ['check', ['ip', { type: 'null' }]], bad] as Message[])
      await handler.answer(frameIn(notify(1, 1, message)), 0, ROOM);
    assert.deepEqual(
      questions.slice(1).map(({ subjects: asked, problem }) => [asked, problem]),
      [
        [[], 'bad_subject'],
        [[], 'bad_subject'],
        [[], 'bad_subject'],
      ],
    );
  });
});

describe('a question', () => {
  it('has the digest of a secret, also where the secret looks like one, and nothing of the secret', () => {
    const rules = [{ name: 'check', policy: { default: 'open' }, kinds: ['key', 'ip'], target: TARGET } as const];
    const { send, questions } = setUp(() => ALLOW, rules);
    const digest = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
    for (const secret of ['hunter2', digest('hunter2')]) send(['check', ['key', str(secret)]]);
    assert.deepEqual(
      questions.map(({ subjects: asked }) => asked),
      [[`key:${digest('hunter2')}`], [`key:${digest(digest('hunter2'))}`]],
    );
  });

  it('has what covers a path that is too long to be listed, and no host or path that is too long to be one', () => {
    const { send, questions } = setUp();
    send(
      ['other', ['path', str(`/admin/${'x'.repeat(4000)}`)]],
      ['other', ['path', str(`/admin/${'x'.repeat(5000)}`)]],
      ['check', ['host', str(`${'x'.repeat(300)}.example`)]],
    );
    assert.deepEqual(
      questions.map(({ subjects: asked, problem }) => [asked, problem]),
      [
        [['path:/admin/*'], undefined],
        [[], 'bad_subject'],
        [[], 'bad_subject'],
      ],
    );
  });

  it('has nothing of the questions before it', () => {
    const message = fc.record({
      name: fc.constantFrom('check', 'other'),
      ip: fc.constantFrom('203.0.113.7', '2001:db8::1', 'no address', undefined),
      host: fc.constantFrom('a', 'b', '', undefined),
      path: fc.constantFrom('/', '/x', '', undefined),
    });
    fc.assert(
      fc.property(fc.array(fc.array(message, { maxLength: 3 }), { maxLength: 10 }), (frames) => {
        const { send, questions } = setUp();
        const expected: Asked[] = [];
        for (const list of frames) {
          send(
            ...list.map(({ name, ...values }): Message => {
              const args = Object.entries(values).flatMap(([kind, value]) =>
                value === undefined ? [] : [[kind, str(value)] as const],
              );
              return [name, ...args];
            }),
          );
          for (const { name, ip, host, path } of list) {
            const isCheck = name === 'check';
            const given = isCheck ? { ip, host } : { path };
            const good = Object.entries(given).filter(([, value]) => value && value !== 'no address');
            const isBad = good.length < Object.keys(given).length; // every request has all of these
            expected.push({
              policy: { default: isCheck ? 'closed' : 'open' },
              subjects: good.map(([kind, value]) => `${kind}:${value}`),
              ...(isBad ? { problem: 'bad_subject' } : {}),
            });
          }
        }
        assert.deepEqual(questions, expected);
      }),
      { numRuns: 500 },
    );
  });

  it('has the address in the place of its kind', () => {
    for (const kinds of [
      ['ip', 'host', 'path'],
      ['host', 'ip', 'path'],
      ['host', 'path', 'ip'],
    ]) {
      const { send, questions } = setUp(
        () => ALLOW,
        [{ name: 'check', policy: { default: 'open' }, kinds, target: TARGET }],
      );
      const values = { path: str('/'), ip: ipv4(1, 2, 3, 4), host: str('a') };
      send(['check', ...Object.entries(values)]);
      send(['check', ['ip', values.ip], ['path', values.path]]);
      const all = { ip: 'ip:1.2.3.4', host: 'host:a', path: 'path:/' };
      const [full, part] = questions;
      assert.deepEqual(
        full?.subjects,
        kinds.map((kind) => all[kind as keyof typeof all]), // of these three
      );
      assert.deepEqual(
        part?.subjects,
        full?.subjects.filter((subject) => subject !== all.host),
      );
    }
  });
});

describe('what a request must have', () => {
  const rule = (more: Partial<MessageConfig>): MessageConfig[] => [
    { name: 'check', policy: { default: 'open' }, kinds: ['ip'], target: TARGET, ...more },
  ];
  /** What is asked when these arguments come for this rule. */
  const asked = (more: Partial<MessageConfig>, ...args: [string, Value][]): Omit<Asked, 'policy'> => {
    const { questions, send, errors } = setUp(() => ALLOW, rule(more));
    send(['check', ...args]);
    assert.deepEqual(errors, []);
    const { policy: _policy, ...rest } = questions[0] as Asked; // one was sent
    return rest;
  };
  const GOOD: Readonly<Record<string, readonly [Value, string]>> = {
    ip: [ipv4(1, 2, 3, 4), 'ip:1.2.3.4'],
    host: [str('a'), 'host:a'],
    path: [str('/'), 'path:/'],
    method: [str('GET'), 'method:GET'],
    ua: [str('x'), 'ua:x'],
    'header.x-user': [str('joe'), 'header.x-user:joe'],
    'cookie.session': [str('s'), 'cookie.session:s'],
    country: [str('DE'), 'country:DE'],
    asn: [str('64500'), 'asn:64500'],
  };
  const ALWAYS = ['ip', 'host', 'path', 'method'];
  const ABSENT: readonly (readonly [string, Value | undefined])[] = [
    ['not sent', undefined],
    ['null', { type: 'null' }],
    ['empty', str('')],
  ];

  for (const kind of Object.keys(GOOD))
    for (const [how, value] of ABSENT)
      for (const required of [false, true])
        it(`is odd without ${kind} (${how})${required ? ' where that is required' : ''}, or it may be absent`, () => {
          const others = Object.keys(GOOD).filter((other) => other !== kind);
          const args = others.map((other): [string, Value] => [other, GOOD[other]?.[0] as Value]); // of these
          const kinds = Object.keys(GOOD);
          const sent: [string, Value][] = value === undefined ? args : [[kind, value], ...args];
          const question = asked({ kinds, ...(required && { required: [kind] }) }, ...sent);
          const isOdd = required || ALWAYS.includes(kind);
          assert.deepEqual(question.problem, isOdd ? 'bad_subject' : undefined);
          assert.deepEqual(
            question.subjects,
            others.map((other) => GOOD[other]?.[1]),
          );
        });

  it('is there also where its value is too long to be listed', () => {
    for (const kind of ['ua', 'header.x-user', 'cookie.session'])
      assert.deepEqual(
        asked({ kinds: ['ip', kind], required: [kind] }, ['ip', ipv4(1, 2, 3, 4)], [kind, str('x'.repeat(2000))]),
        {
          subjects: ['ip:1.2.3.4'],
        },
      );
  });

  const addresses: readonly (readonly [string, string | undefined])[] = [
    ['192.0.2.1', 'ip:192.0.2.1'],
    ['2001:DB8::1', 'ip:2001:db8::1'],
    ['::ffff:192.0.2.1', 'ip:192.0.2.1'],
    ...[
      'unknown',
      '[192.0.2.1]',
      '[2001:db8::1]',
      '192.0.2.1,',
      ',192.0.2.1',
      '192.0.2.1, 192.0.2.2',
      '192.0.2.1:80',
    ].map(none),
    ...[
      ' 192.0.2.1',
      '192.0.2.1 ',
      '"192.0.2.1"',
      '192.0.2',
      '192.0.2.01',
      '0300.0.2.1',
      '0xc0000201',
      '3221225985',
    ].map(none),
    ...['::1%eth0', '2001:db8::1/64', '_hidden', 'for=192.0.2.1', '192.0.2.1\t', '\u0661.0.0.1', '::g', ':', ''].map(
      none,
    ),
  ];
  for (const [text, subject] of addresses)
    it(`as x-forwarded-for ${JSON.stringify(text)} is ${subject ?? 'no address, and odd'}`, () => {
      const expected = subject === undefined ? { subjects: [], problem: 'bad_subject' } : { subjects: [subject] };
      assert.deepEqual(asked({}, ['ip', str(text)]), expected);
    });
  function none(text: string): readonly [string, undefined] {
    return [text, undefined];
  }

  describe('as a path', () => {
    const path = (oddPaths: MessageConfig['oddPaths'], bytes: string) =>
      asked({ kinds: ['path'], ...(oddPaths && { oddPaths }) }, [
        'path',
        { type: 'string', value: Buffer.from(bytes, 'latin1') },
      ]);
    const odd: readonly (readonly [string, string])[] = [
      ['/health/..%2fadmin', 'path:/health/..%2Fadmin'],
      ['//admin', 'path:/admin'],
      ['/%61dmin', 'path:/admin'],
      ['/x/../admin', 'path:/admin'],
      ['/a;b', 'path:/a;b'],
      ['/a\\b', 'path:/a%5Cb'],
      ['/a%00', 'path:/a%00'],
    ];
    for (const [bytes, subject] of odd)
      it(`${bytes} is odd by default, and where it may pass no allow for it counts`, () => {
        for (const refuse of [undefined, 'refuse'] as const)
          assert.deepEqual(path(refuse, bytes), { subjects: [], problem: 'bad_subject' });
        assert.deepEqual(path('pass', bytes), { subjects: [subject], odd: subject });
      });
    const ordinary: readonly (readonly [string, string])[] = [
      ['/a//b', 'path:/a/b'],
      ['/%7Ea', 'path:/~a'],
      ['/caf\xe9', 'path:/caf%E9'],
      ['/caf%e9', 'path:/caf%E9'],
      ['/caf\xc3\xa9', 'path:/caf%C3%A9'],
      ['/a*', 'path:/a%2A'],
    ];
    for (const [bytes, subject] of ordinary)
      it(`${bytes} is ordinary`, () => {
        for (const odd of ['refuse', 'pass'] as const) assert.deepEqual(path(odd, bytes), { subjects: [subject] });
      });
    for (const bytes of ['*', 'admin', '', 'http://a/', '\\admin'])
      it(`${bytes || 'nothing'} is none, and no setting lets it pass`, () => {
        for (const odd of ['refuse', 'pass'] as const)
          assert.deepEqual(path(odd, bytes), { subjects: [], problem: 'bad_subject' });
      });
    it('is odd only where it is the path, whatever stands beside it', () => {
      for (const kinds of [
        ['path', 'ip', 'host'],
        ['host', 'ip', 'path'],
        ['ip', 'host', 'path'],
      ]) {
        const args: [string, Value][] = [
          ['host', str('a')],
          ['path', str('/a;b')],
          ['ip', ipv4(1, 2, 3, 4)],
        ];
        assert.equal(asked({ kinds, oddPaths: 'pass' }, ...args).odd, 'path:/a;b');
      }
    });
    it('is what the last argument of its name says', () => {
      const twice = (...values: string[]) => values.map((value): [string, Value] => ['path', str(value)]);
      assert.deepEqual(asked({ kinds: ['path'], oddPaths: 'pass' }, ...twice('/a;b', '/c')), { subjects: ['path:/c'] });
    });
  });

  describe('as cookies', () => {
    const KINDS = ['ip', 'cookie.session', 'cookie.php_id', 'cookie.own'];
    const COOKIES = new Map([
      ['cookie.session', 'session'],
      ['cookie.php_id', 'PHP.Id'],
    ]);
    const ofHeader = (header: string, more: Partial<MessageConfig> = {}, ...args: [string, Value][]) =>
      asked({ kinds: KINDS, cookies: COOKIES, ...more }, ['ip', ipv4(1, 2, 3, 4)], ...args, [
        'cookie',
        { type: 'string', value: Buffer.from(header, 'latin1') },
      ]);
    const IP = 'ip:1.2.3.4';

    const headers: readonly (readonly [string, readonly string[]])[] = [
      ['a=b; session=stolen', ['session:stolen']],
      ['session=stolen; session=x', ['session:stolen', 'session:x']],
      ['session=x; session=stolen', ['session:x', 'session:stolen']],
      ['session="stolen"', ['session:stolen']],
      ['session=st%6flen', ['session:stolen']],
      ['session=stolen; session="stolen"; session=st%6Flen', ['session:stolen']],
      ['php.id=a; PHP_ID=b; session=c', ['session:c', 'php_id:a', 'php_id:b']],
      ['own=a', []],
      ['a=b', []],
      [`session=${'x'.repeat(2000)}`, []],
      ['session=', []],
    ];
    for (const [header, found] of headers)
      it(`of ${header.slice(0, 60)} are ${found.join(', ') || 'none'}`, () => {
        assert.deepEqual(ofHeader(header), { subjects: [IP, ...found.map((text) => `cookie.${text}`)] });
      });

    for (const header of [
      'x="a; session=stolen"',
      'session="st\\157len"',
      'session=1; session=2; session=3; session=4; session=5',
      'session=1,session=2,session=3,session=4,session=5',
    ])
      it(`of ${header} are odd`, () => assert.equal(ofHeader(header).problem, 'bad_subject'));

    it('are up to four of a name, in the place of their kind', () => {
      const four = ['1', '2', '3', '4'].map((value) => `session=${value}`).join('; ');
      const asked = ofHeader(`${four}; PHP.Id=x`, { kinds: ['cookie.php_id', 'ip', 'cookie.session'] });
      assert.deepEqual(asked.subjects, [
        'cookie.php_id:x',
        IP,
        ...['1', '2', '3', '4'].map((value) => `cookie.session:${value}`),
      ]);
      assert.equal(asked.problem, undefined);
    });

    for (const kinds of [['cookie.session'], ['host', 'cookie.session'], ['cookie.session', 'host']])
      it(`are read where the message has no address: ${kinds.join(', ')}`, () => {
        const header: [string, Value] = ['cookie', str('session=stolen')];
        const subjects = kinds.map((kind) => (kind === 'host' ? 'host:shop.example' : 'cookie.session:stolen'));
        assert.deepEqual(asked({ kinds, cookies: COOKIES }, ['host', str('shop.example')], header), { subjects });
      });

    it('count instead of the one value that HAProxy sends beside them, whichever comes first', () => {
      const value: [string, Value] = ['cookie.session', str('x')];
      const expected = { subjects: [IP, 'cookie.session:stolen', 'cookie.session:x'] };
      assert.deepEqual(ofHeader('session=stolen; session=x', {}, value), expected);
      const header: [string, Value] = ['cookie', str('session=stolen; session=x')];
      assert.deepEqual(asked({ kinds: KINDS, cookies: COOKIES }, ['ip', ipv4(1, 2, 3, 4)], header, value), expected);
    });

    it('of an older wiring are the one value that it sends', () => {
      const value: [string, Value] = ['cookie.session', str('"st%6flen"')];
      assert.deepEqual(asked({ kinds: KINDS, cookies: COOKIES }, ['ip', ipv4(1, 2, 3, 4)], value), {
        subjects: [IP, 'cookie.session:stolen'],
      });
    });

    it('are required by their header', () => {
      const required = { required: ['cookie.session'] };
      assert.equal(ofHeader('a=b', required).problem, 'bad_subject');
      assert.equal(ofHeader('session=', required).problem, 'bad_subject');
      assert.equal(ofHeader('session=x', required).problem, undefined);
      assert.equal(ofHeader(`session=${'x'.repeat(2000)}`, required).problem, undefined);
      assert.equal(
        asked({ kinds: KINDS, cookies: COOKIES, ...required }, ['ip', ipv4(1, 2, 3, 4)]).problem,
        'bad_subject',
      );
    });

    it('that are read from elsewhere are one value each', () => {
      assert.deepEqual(ofHeader('own=a; own=b', {}, ['cookie.own', str('c')]).subjects, [IP, 'cookie.own:c']);
      assert.deepEqual(asked({ kinds: ['cookie.own'] }, ['cookie', str('own=a')]), { subjects: [] });
    });
  });
});

describe('the frames captured from HAProxy', () => {
  for (const { file, lines, frames } of vectors.filter(
    (vector) => vector.frames[0]?.messages && vector.lines.length === vector.frames.length,
  )) {
    it(`${file}: are answered, whatever is in them`, async () => {
      const kinds = [
        'ip',
        'host',
        'path',
        'method',
        'ua',
        'key',
        ...new Set(frames.flatMap(({ messages = [] }) => messages.flatMap(({ args }) => args.map(({ name }) => name)))),
      ];
      const { handler, errors, questions } = setUp(
        () => DENY,
        [...new Set(frames.flatMap(({ messages = [] }) => messages.map(({ name }) => name)))].map((name) => ({
          name,
          policy: { default: 'open' },
          kinds,
          target: TARGET,
        })),
      );
      for (const line of lines) assert.equal(said(await handler.answer(frameIn(line), 0, ROOM)).action, 'deny');
      assert.equal(questions.length, frames.flatMap(({ messages = [] }) => messages).length);
      assert.deepEqual(errors, []);
    });
  }
});
