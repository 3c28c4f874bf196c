import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { message } from '../../../spop/agent/message.ts';
import type { ValueType } from '../../../spop/agent/values.ts';
import { startAgent, variables } from '../../support/spop/agent-world.ts';
import { bytesOf, ipv4, type Message, str, type Value } from '../../support/spop/naive-codec.ts';

const MAPPED = { type: 'ipv6', value: Uint8Array.from([...new Array(10).fill(0), 255, 255, 203, 0, 113, 7]) } as const;
const IPV6 = { type: 'ipv6', value: Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1]) } as const;
const integer = (value: bigint): Value => ({ type: 'int64', value });
const BEYOND = 2n ** 53n;

/** What HAProxy sends, what it is without a declaration, and what it may be declared as. */
const SENT: readonly (readonly [string, Value, unknown, Partial<Record<ValueType, unknown>>])[] = [
  ['text', str('GET'), 'GET', { text: 'GET', bytes: bytesOf('GET') }],
  ['an empty header', str(''), '', { text: '', bytes: bytesOf('') }],
  ['a byte order mark', str('\uFEFFa'), '\uFEFFa', { text: '\uFEFFa', bytes: bytesOf('\uFEFFa') }],
  [
    'a string that is not UTF-8',
    { type: 'string', value: Uint8Array.of(0xe9) },
    '\uFFFD',
    { text: '\uFFFD', bytes: Uint8Array.of(0xe9) },
  ],
  ['binary', { type: 'binary', value: bytesOf('body') }, bytesOf('body'), { text: 'body', bytes: bytesOf('body') }],
  ['IPv4', ipv4(203, 0, 113, 7), '203.0.113.7', { address: '203.0.113.7' }],
  ['IPv6', IPV6, '2001:db8::1', { address: '2001:db8::1' }],
  ['IPv4-mapped IPv6', MAPPED, '203.0.113.7', { address: '203.0.113.7' }],
  ['an integer', integer(-5n), -5, { integer: -5, bigint: -5n }],
  ['the largest number', integer(BEYOND - 1n), 2 ** 53 - 1, { integer: 2 ** 53 - 1, bigint: BEYOND - 1n }],
  ['an integer beyond numbers', integer(BEYOND), BEYOND, { bigint: BEYOND }],
  ['an integer below numbers', integer(-BEYOND), -BEYOND, { bigint: -BEYOND }],
  ['uint32', { type: 'uint32', value: 7n }, 7, { integer: 7, bigint: 7n }],
  ['true', { type: 'bool', value: true }, true, { boolean: true }],
  ['false', { type: 'bool', value: false }, false, { boolean: false }],
];
const TYPES = ['address', 'text', 'bytes', 'integer', 'bigint', 'boolean'] as const;

const mustBe = (type: ValueType, right: object) =>
  `but is declared as ${type}: declare it as ${TYPES.filter((one) => one in right).join(' or ')}`;

/** What a function gets of a message, and what is reported. */
async function got(t: Parameters<typeof startAgent>[0], declared: ValueType | undefined, asked: Message) {
  let args: unknown;
  const keep = (context: { readonly args: unknown }) => {
    args = context.args;
  };
  const { ask, errors } = await startAgent(t, {
    ask: declared === undefined ? keep : message({ args: { given: declared } }, keep),
  });
  await ask(asked);
  return { args, errors: errors.map(({ code, message }) => [code, message]) };
}

describe('an argument that is', () => {
  for (const [what, sent, plain, declared] of SENT) {
    it(`${what}, without a declaration`, async (t) => {
      const { args } = await got(t, undefined, ['ask', ['given', sent]]);
      assert.deepEqual({ ...(args as object) }, { given: plain });
    });

    it(`${what}, declared as what it is and as what it is not`, async (t) => {
      for (const type of TYPES) {
        const { args, errors } = await got(t, type, ['ask', ['given', sent]]);
        if (type in declared)
          assert.deepEqual([{ ...(args as object) }, errors], [{ given: declared[type] }, []], type);
        else
          assert.deepEqual(
            [args, errors],
            [
              undefined,
              [['arguments', `message "ask": argument "given" comes as ${sent.type}, ${mustBe(type, declared)}`]],
            ],
          );
      }
    });
  }

  it('null, whatever it is declared as', async (t) => {
    for (const type of [undefined, ...TYPES]) {
      const { args } = await got(t, type, ['ask', ['given', { type: 'null' }]]);
      assert.deepEqual({ ...(args as object) }, { given: null });
    }
  });

  it('missing, but declared', async (t) => {
    const { args, errors } = await got(t, 'address', ['ask', ['other', str('')]]);
    assert.equal(args, undefined);
    assert.deepEqual(errors, [
      ['arguments', `message "ask": argument "given" is missing: HAProxy's args line needs given=EXPRESSION`],
    ]);
  });

  it('not declared beside declared ones, without a name, or repeated', async (t) => {
    const named = await got(t, 'text', ['ask', ['given', str('1')], ['other', str('2')]]);
    assert.deepEqual({ ...(named.args as object) }, { given: '1' });
    const odd = await got(t, undefined, ['ask', ['', str('0')], ['given', str('1')], ['given', str('2')]]);
    assert.deepEqual({ ...(odd.args as object) }, { given: '2' });
  });

  it('named as what every object has', async (t) => {
    const { args } = await got(t, undefined, ['ask', ['__proto__', str('1')], ['constructor', str('2')]]);
    assert.deepEqual(Object.entries(args as object), [
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
    const missing = await got(t, 'text', ['ask', ['toString', str('1')]]);
    assert.match(missing.errors[0]?.[1] ?? '', /"given" is missing/);
  });

  it('named otherwise than in the message before', async (t) => {
    const seen: unknown[] = [];
    const { ask } = await startAgent(t, { ask: ({ args }) => void seen.push({ ...args }) });
    await ask(['ask', ['one', str('1')], ['two', str('2')]]);
    await ask(['ask', ['two', str('3')], ['one', str('4')], ['three', str('5')]]);
    await ask(['ask', ['tw', str('6')]]);
    assert.deepEqual(seen, [{ one: '1', two: '2' }, { two: '3', one: '4', three: '5' }, { tw: '6' }]);
  });
});

describe('a variable that is set to', () => {
  const SET: readonly (readonly [string, unknown, ValueType | undefined, Value])[] = [
    ['text', 'deny', 'text', str('deny')],
    ['a number', -5, 'integer', integer(-5n)],
    ['a bigint', 2n ** 63n - 1n, 'bigint', integer(2n ** 63n - 1n)],
    ['a boolean', true, 'boolean', { type: 'bool', value: true }],
    ['bytes', bytesOf('b'), 'bytes', { type: 'binary', value: bytesOf('b') }],
    ['typed data', ipv4(203, 0, 113, 7), undefined, ipv4(203, 0, 113, 7)],
    ['null', null, 'text', { type: 'null' }],
  ];
  for (const [what, value, declared, expected] of SET)
    it(`${what} is that for HAProxy, declared or not`, async (t) => {
      const functions = {
        ask: ({ set }: { set: (name: string, value: never) => void }) => set('given', value as never),
        ...(declared && {
          declared: message({ vars: { given: declared } }, ({ set }) => set('given', value as never)),
        }),
      };
      const { ask } = await startAgent(t, functions);
      assert.equal(await ask(['ask']), variables({ given: expected }));
      if (declared !== undefined) assert.equal(await ask(['declared']), variables({ given: expected }));
    });

  it('an address in text is an address where it is declared, and text where it is not', async (t) => {
    const { ask } = await startAgent(t, {
      text: ({ set }) => set('client', '203.0.113.7'),
      address: message({ vars: { client: 'address' } }, ({ set }) => set('client', '203.0.113.7')),
      six: message({ vars: { client: 'address' } }, ({ set }) => set('client', '2001:db8::1')),
    });
    assert.equal(await ask(['text']), variables({ client: str('203.0.113.7') }));
    assert.equal(await ask(['address']), variables({ client: ipv4(203, 0, 113, 7) }));
    assert.equal(await ask(['six']), variables({ client: IPV6 }));
  });

  for (const scope of ['proc', 'sess', 'txn', 'req', 'res'] as const)
    it(`something in the scope ${scope}`, async (t) => {
      const { ask } = await startAgent(t, { ask: ({ set }) => set('given', 'x', scope) });
      assert.equal(await ask(['ask']), variables({ given: str('x') }, scope));
    });
});
