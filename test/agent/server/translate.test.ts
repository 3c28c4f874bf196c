import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import type { Question } from '../../../agent/decision/engine.ts';
import { type Decider, type MessageRule, Translator } from '../../../agent/server/translate.ts';
import { frameIn } from '../../support/spop/frames.ts';
import {
  frame,
  fromHex,
  ipv4,
  type Message,
  notify,
  parseActions,
  str,
  type Value,
} from '../../support/spop/naive-codec.ts';
import { vectors } from '../../support/spop/vectors.ts';

const RULES: readonly MessageRule[] = [
  { name: 'check', policy: { default: 'closed' }, kinds: ['ip', 'host', 'header.x-user'] },
  { name: 'other', policy: { default: 'open' }, kinds: ['path'] },
];
const ALLOW: Decision = { action: 'allow', source: 'cache' };
const DENY: Decision = { action: 'deny', source: 'cache', reason: 'abuse', status: 403 };

function setUp(decide: Decider['decide'] = () => ALLOW, rules = RULES) {
  const questions: Question[] = [];
  const unknown: string[] = [];
  const errors: unknown[] = [];
  const decider: Decider = {
    decide(question, receivedAtMs) {
      questions.push(question);
      return decide(question, receivedAtMs);
    },
  };
  const translator = new Translator(rules, decider, {
    unknownMessage: (name) => unknown.push(name),
    internalError: (error) => errors.push(error),
  });
  const send = (...list: Message[]) => translator.answer(frameIn(notify(1, 1, ...list)), 7);
  return { translator, questions, unknown, errors, send };
}

/** The subjects that are asked when these arguments come. */
function subjects(...args: [string, Value][]): readonly string[] {
  const { questions, send } = setUp();
  send(['check', ...args]);
  return questions[0]?.subjects ?? [];
}

const said = (answer: Awaited<ReturnType<Translator['answer']>>) =>
  Object.fromEntries(
    parseActions(answer.full).map((action) => [action.name, 'value' in action ? plain(action.value) : null]),
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
    send(['check', ['ip', { type: 'null' }], ['host', str('a')]]);
    assert.deepEqual(questions, [{ policy: { default: 'closed' }, subjects: ['host:a'] }]);
  });

  it('has a problem where the value can be no subject, and keeps the rest', () => {
    for (const bad of [str(''), str('a\r\nb'), str('x'.repeat(2000))]) {
      const { questions, send } = setUp();
      send(['check', ['header.x-user', bad], ['ip', ipv4(1, 2, 3, 4)]]);
      assert.deepEqual(questions, [
        { policy: { default: 'closed' }, subjects: ['ip:1.2.3.4'], problem: 'bad_subject' },
      ]);
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
      [{ type: 'string', value: fromHex('636166e9') }, 'caf\ufffd'],
      [{ type: 'string', value: fromHex('efbbbf61') }, '\ufeffa'],
    ] as const)
      assert.deepEqual(subjects(['header.x-user', value]), [`header.x-user:${expected}`]);
  });

  it('keeps the last of repeated arguments', () => {
    assert.deepEqual(subjects(['host', str('a')], ['host', str('b')]), ['host:b']);
  });

  it('that the configuration does not have is told, and answered without actions', () => {
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

  it('is not even looked for in an empty NOTIFY, as 3.1.0 and 3.2.0 send', () => {
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

  it('speaks for the first message that is not simply allowed', async () => {
    for (const late of [false, true]) {
      const { send } = setUp(({ subjects: [first] }) => {
        const decision = first === 'path:/bad' ? DENY : ALLOW;
        return late ? Promise.resolve(decision) : decision;
      });
      assert.equal(said(await send(['check'], ['other', ['path', str('/bad')]])).action, 'deny');
      assert.equal(said(await send(['other', ['path', str('/good')]], ['check'])).action, 'allow');
    }
  });

  it('is of the policy, and told, when our own code throws or rejects', async () => {
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
    const { translator, errors } = setUp();
    const bytes = notify(1, 1, ['check', ['ip', ipv4(1, 2, 3, 4)]], ['unheard-of', ['a', str('bcd')]]);
    bytes[3] = (bytes[3] as number) - 1; // a length of one byte less
    const broken = frameIn(bytes.subarray(0, -1));
    for (const act of [() => translator.answer(broken, 0), () => translator.overload(broken)])
      assert.throws(act, { name: 'SpopError', status: 4 });
    assert.deepEqual(errors, []);
  });

  it('is a protocol error, and no failure of ours, when what cannot be trusted is asked for', () => {
    const { translator, errors, questions } = setUp();
    for (const payload of [
      '05636865636b 01 026970 06 7f0000',
      '05636865636b 01 04686f7374 0805 6161',
      '05636865636b 02 026970 00',
    ])
      assert.throws(
        () => translator.answer(frameIn(frame({ type: 3, stream: 1, frame: 1, payload: fromHex(payload) })), 0),
        { name: 'SpopError', status: 4 },
      );
    assert.deepEqual([errors, questions], [[], []]);
  });

  it('under overload is that of the policy, without a question', () => {
    const { translator, questions } = setUp();
    const answer = (...list: Message[]) => said(translator.overload(frameIn(notify(1, 1, ...list))));
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
      const { translator, errors, questions } = setUp(
        () => DENY,
        [...new Set(frames.flatMap(({ messages = [] }) => messages.map(({ name }) => name)))].map((name) => ({
          name,
          policy: { default: 'open' },
          kinds,
        })),
      );
      for (const line of lines) assert.equal(said(await translator.answer(frameIn(line), 0)).action, 'deny');
      assert.equal(questions.length, frames.flatMap(({ messages = [] }) => messages).length);
      assert.deepEqual(errors, []);
    });
  }
});
