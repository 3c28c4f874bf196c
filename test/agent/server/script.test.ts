import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import { Enforcement } from '../../../agent/decision/enforcement.ts';
import type { Question } from '../../../agent/decision/engine.ts';
import type { MessageArguments } from '../../../agent/server/arguments.ts';
import { type Decider, type MessageConfig, MessageHandler } from '../../../agent/server/message-handler.ts';
import { FrameReader } from '../../../spop/frame-reader.ts';
import { OutputBuffer } from '../../../spop/output-buffer.ts';
import { ALL_RULES } from '../../support/rules.ts';
import { frameIn } from '../../support/spop/frames.ts';
import {
  fromHex,
  ipv4,
  type Message,
  notify,
  type Pair,
  parseActions,
  parseFrames,
  str,
} from '../../support/spop/naive-codec.ts';

/** As of an ACK with HAProxy's usual buffers. */
const ROOM = 790;
const TARGET = { scope: 'txn', vars: new Map([['backend', 'backend']]) } as const;
const ALLOW: Decision = { action: 'allow', source: 'cache' };
const DENY: Decision = { action: 'deny', source: 'script' };

interface Heard {
  readonly subjects: readonly string[];
  readonly given: MessageArguments;
  readonly receivedAtMs?: number;
}

function setUp(more: Partial<MessageConfig> = {}, answer = DENY) {
  const heard: Heard[] = [];
  const asked: Question[] = [];
  const script = {
    isActive: true,
    async decide({ address, texts }: Question, given: MessageArguments, receivedAtMs: number) {
      heard.push({
        subjects: [...texts, ...(address.words === 0 ? [] : [`ip:${address}`])],
        given: { ...given },
        receivedAtMs,
      });
      return answer;
    },
    decideKnown({ address }: Question) {
      heard.push({ subjects: [`ip:${address}`], given: {} });
      return answer;
    },
  };
  const decider: Decider = {
    decide(question) {
      asked.push(question);
      return ALLOW;
    },
    decideKnown: () => assert.fail('the script has the last word'),
    cached: () => ALLOW,
    decideAddress: () => assert.fail('the script has the last word'),
  };
  const rules: readonly MessageConfig[] = [
    { name: 'check', policy: { default: 'closed' }, kinds: ['ip'], target: TARGET, script, ...more },
    { name: 'other', policy: { default: 'closed' }, kinds: ['host'], target: TARGET },
    { name: 'bare', policy: { default: 'closed' }, kinds: [], target: TARGET },
  ];
  const handler = new MessageHandler(rules, decider, {
    unknownMessage: (name) => assert.fail(name),
    internalError: (error) => assert.fail(String(error)),
  });
  const send = (...list: Message[]) => handler.answer(frameIn(notify(1, 1, ...list)), 7, ROOM);
  const overload = (...list: Message[]) => handler.overload(frameIn(notify(1, 1, ...list)), 7, ROOM);
  return { script, heard, asked, handler, send, overload };
}

/** What is told of the action, once it is. */
async function actionOf(answer: ReturnType<MessageHandler['answer']>): Promise<string> {
  const [action] = parseActions((await answer).full);
  return action !== undefined &&
    'value' in action &&
    'value' in action.value &&
    action.value.value instanceof Uint8Array
    ? Buffer.from(action.value.value).toString()
    : '';
}

describe('a message with a script', () => {
  it('uses what the script knows under overload, too', async () => {
    const { heard, overload } = setUp();
    assert.equal(await actionOf(overload(['check', ['ip', ipv4(192, 0, 2, 1)]])), 'deny');
    assert.deepEqual(heard, [{ subjects: ['ip:192.0.2.1'], given: {} }]);
  });

  it('is decided by the script, with its subjects and all its arguments', async () => {
    const { heard, asked, send } = setUp();
    const all: readonly (readonly [Pair, string | number | boolean | null])[] = [
      [['ip', ipv4(192, 0, 2, 1)], '192.0.2.1'],
      [['text', str('café\r\n')], 'café\r\n'],
      [['bytes', { type: 'binary', value: fromHex('ff') }], '\ufffd'],
      [['v6', { type: 'ipv6', value: fromHex('20010db8000000000000000000000001') }], '2001:db8::1'],
      [['none', { type: 'null' }], null],
      [['yes', { type: 'bool', value: true }], true],
      [['count', { type: 'int64', value: -5n }], -5],
      [['exact', { type: 'int64', value: 2n ** 53n - 1n }], 2 ** 53 - 1],
      [['large', { type: 'uint64', value: 2n ** 53n + 1n }], '9007199254740993'],
      [['__proto__', str('x')], 'x'],
    ];
    assert.equal(await actionOf(send(['check', ...all.map(([pair]) => pair), ['', str('unnamed')]])), 'deny');
    const [{ subjects, given, receivedAtMs } = assert.fail()] = heard;
    assert.deepEqual([subjects, receivedAtMs, asked], [['ip:192.0.2.1'], 7, []]);
    assert.deepEqual(
      Object.entries(given),
      all.map(([[name], value]) => [name, value]),
    );
  });

  it('is decided as usual if the script has no function for it, by the fast path too', async () => {
    const { script, heard, asked, handler, send } = setUp();
    const frames = notify(1, 1, ['check', ['ip', ipv4(192, 0, 2, 1)]]);
    const answeredAtOnce = () => {
      const reader = new FrameReader(16_384);
      reader.push(frames);
      const output = new OutputBuffer();
      handler.answerUsual(reader, output, 800, 0);
      let acks = 0;
      output.flush((bytes) => {
        acks = parseFrames(bytes).length;
        return true;
      });
      return acks;
    };
    script.isActive = false;
    assert.equal(await actionOf(send(['check', ['ip', ipv4(192, 0, 2, 1)]])), 'allow');
    assert.equal(answeredAtOnce(), 1);
    script.isActive = true;
    assert.equal(answeredAtOnce(), 0);
    assert.equal(await actionOf(send(['check', ['ip', ipv4(192, 0, 2, 1)]])), 'deny');
    assert.deepEqual([heard.length, asked.length], [1, 1]);
  });

  it('leaves the other messages of its frame alone', async () => {
    const { heard, send } = setUp({}, ALLOW);
    assert.equal(
      await actionOf(send(['other', ['host', str('a')]], ['check', ['x', str('1')]], ['other', ['host', str('b')]])),
      'allow',
    );
    assert.deepEqual(heard, [{ subjects: [], given: { x: '1' }, receivedAtMs: 7 }]);
  });

  it('can be in shadow mode, and routes only to known backends, like any other', async () => {
    const events = { unsupported: () => {}, shadowed: () => {} };
    const shadow = new Enforcement({ message: 'check', rules: ALL_RULES, shadow: true }, events);
    assert.equal(await actionOf(setUp({ enforcement: shadow }).send(['check'])), 'log');
    const route: Decision = { action: 'route', source: 'script', vars: { backend: 'nowhere' } };
    const enforcement = new Enforcement({ message: 'check', rules: ALL_RULES, shadow: false }, events);
    assert.equal(await actionOf(setUp({ enforcement }, route).send(['check'])), 'tag');
  });
});

describe('a message without subjects', () => {
  it('is allowed without a lookup', async () => {
    const { asked, send } = setUp();
    assert.equal(await actionOf(send(['bare', ['x', str('1')]])), 'allow');
    assert.deepEqual(asked, []);
  });
});
