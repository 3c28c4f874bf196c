import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentFunctions } from '../../../spop/agent/create-agent.ts';
import { message } from '../../../spop/agent/message.ts';
import type { FallbackContext } from '../../../spop/agent/message-call.ts';
import { portOf, startAgent, variables } from '../../support/spop/agent-world.ts';
import { Client } from '../../support/spop/client.ts';
import { settled } from '../../support/spop/conversation.ts';
import { hello, notify, str, toHex } from '../../support/spop/naive-codec.ts';

/** The author's choice: every reason is seen by HAProxy. */
const fallback = ({ message, reason, set }: FallbackContext) => set('instead', `${message}: ${reason}`);
const instead = (reason: string) => variables({ instead: str(`ask: ${reason}`) });

/** Whatever a function does: why it is answered by the fallback, and what is reported. */
const FAILING: Readonly<Record<string, readonly [AgentFunctions[string], string]>> = {
  'throws an error': [
    () => {
      throw new Error('boom');
    },
    'message "ask": boom',
  ],
  'throws no error but a text': [
    () => {
      throw 'boom';
    },
    'message "ask": boom',
  ],
  rejects: [() => Promise.reject(new Error('boom')), 'message "ask": boom'],
  'rejects with nothing': [() => Promise.reject(), 'message "ask": undefined'],
  'throws after it has set something': [
    async ({ set }) => {
      set('action', 'allow');
      await settled();
      throw new Error('boom');
    },
    'message "ask": boom',
  ],
  'returns what only looks like a promise, and throws': [
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: this is the point
      get then() {
        throw new Error('boom');
      },
    }),
    'message "ask": boom',
  ],
  'sets a name that HAProxy would drop': [
    ({ set }) => set('x-action', 'deny'),
    'message "ask": variable name "x-action" must be 1 to 40 of A-Z a-z 0-9 _ and .',
  ],
  'sets a number that is no integer': [
    ({ set }) => set('score', 0.5),
    'message "ask": variable "score" cannot be 0.5: HAProxy has whole numbers only, and above 2^53 it is a bigint',
  ],
  'sets undefined': [
    ({ set }) => set('score', undefined as unknown as null),
    'message "ask": variable "score" cannot be undefined: HAProxy has no such values; null unsets a variable',
  ],
  'sets an object': [
    ({ set }) => set('score', { type: 'float', value: 1 } as unknown as null),
    'message "ask": variable "score" cannot be an object: HAProxy has no such values; null unsets a variable',
  ],
  'sets an integer of more than 64 bits': [
    ({ set }) => set('score', 2n ** 63n),
    'message "ask": variable "score" cannot be 9223372036854775808n: HAProxy has 64 bits for it',
  ],
  'sets a scope that there is not': [
    ({ set }) => set('score', 1, 'transaction' as 'txn'),
    'message "ask": variable "score": scope "transaction" must be one of proc, sess, txn, req, res',
  ],
  'sets what is not declared': [
    message({ vars: { action: 'text' } }, ({ set }) => set('actoin' as 'action', 'deny')),
    'message "ask": variable "actoin" is not declared: vars of message() has action',
  ],
  'sets a name of Object.prototype': [
    message({ vars: { action: 'text' } }, ({ set }) => set('constructor' as 'action', 'deny')),
    'message "ask": variable "constructor" is not declared: vars of message() has action',
  ],
  'sets another type than declared': [
    message({ vars: { action: 'text' } }, ({ set }) => set('action', 7 as unknown as string)),
    'message "ask": variable "action" cannot be 7: it is declared as text',
  ],
  'sets as an address what is none': [
    message({ vars: { client: 'address' } }, ({ set }) => set('client', '203.0.113.256')),
    'message "ask": variable "client" cannot be "203.0.113.256": it is declared as address',
  ],
};

describe('a function that', () => {
  for (const [what, [given, report]] of Object.entries(FAILING))
    it(`${what} is answered by the fallback, and reported`, async (t) => {
      const { ask, errors } = await startAgent(t, { ask: given }, { fallback });
      assert.equal(await ask(['ask']), instead('failed'));
      assert.deepEqual(
        errors.map(({ code, message }) => [code, message]),
        [['failed', report]],
      );
    });

  it('is late is answered by the fallback when its deadline is over, not before, and its signal is aborted', async (t) => {
    let signal: AbortSignal | undefined;
    let setLate = () => {};
    const never: AgentFunctions[string] = (context) => {
      signal = context.signal;
      setLate = () => context.set('action', 'allow');
      return new Promise(() => {});
    };
    const { clock, connected, errors } = await startAgent(t, { ask: never }, { fallback, deadlineMs: 40 });
    const client = await connected();
    client.socket.write(notify(1, 1, ['ask']));
    while (signal === undefined) await settled();
    clock.advance(39);
    assert.equal(signal.aborted, false);
    clock.advance(1);
    assert.equal(signal.aborted, true);
    setLate();
    const [, ack] = await client.received(2);
    assert.equal(toHex(ack?.payload ?? []), instead('late'));
    assert.deepEqual(
      errors.map(({ code, message }) => [code, message]),
      [['late', 'message "ask": not answered within 40 ms']],
    );
    client.socket.destroy();
  });

  it('rejects when it was late already is reported once', async (t) => {
    const rejects: ((error: Error) => void)[] = [];
    const { clock, connected, errors } = await startAgent(
      t,
      { ask: () => new Promise((_, reject) => rejects.push(reject)) },
      { deadlineMs: 40 },
    );
    const client = await connected();
    client.socket.write(notify(1, 1, ['ask']));
    while (rejects.length === 0) await settled();
    clock.advance(40);
    await client.received(2);
    rejects[0]?.(new Error('boom'));
    await settled();
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['late'],
    );
    client.socket.destroy();
  });

  it('sets more than fits is answered by the fallback; one that fits is not', async (t) => {
    const set: AgentFunctions = {
      ask: ({ args, set }) => set('token', 'x'.repeat(args.size === null ? 0 : Number(args.size))),
    };
    const { ask, errors } = await startAgent(t, set, { fallback });
    const most = 790 - 'token'.length - 4 - 3;
    const sized = (bytes: number) => ['ask', ['size', str(`${bytes}`)]] as const;
    assert.equal(await ask(sized(most)), variables({ token: str('x'.repeat(most)) }));
    assert.equal(await ask(sized(most + 1)), instead('too_large'));
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['too_large'],
    );
    assert.match(errors[0]?.message ?? '', /its variables take 791 bytes of 790: set less, or .*pipelining: false$/);
  });
});

describe('what is set when the message has been answered', () => {
  /** Sets behind the answer, by a promise that nobody awaits. */
  const lost: AgentFunctions[string] = ({ set }) => void settled().then(() => set('action', 'deny'));

  for (const [what, given] of Object.entries<AgentFunctions[string]>({
    'a function': lost,
    'an async function': async (context) => void lost(context),
    'a declared one': message({ vars: { action: 'text' } }, lost as () => void),
  }))
    it(`by ${what} is reported, and is not in the answer`, async (t) => {
      const { ask, errors } = await startAgent(t, { ask: given }, { fallback });
      assert.equal(await ask(['ask']), '');
      await settled();
      assert.deepEqual(
        errors.map(({ code, message }) => [code, message]),
        [
          [
            'lost',
            'message "ask": variable "action" was set when it had been answered: await what sets it, or return its promise',
          ],
        ],
      );
    });
});

describe('a fallback that', () => {
  const failing = () => {
    throw new Error('boom');
  };

  it('throws is an empty answer, and both are reported', async (t) => {
    const { ask, errors } = await startAgent(t, { ask: failing }, { fallback: failing });
    assert.equal(await ask(['ask']), '');
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['failed', 'fallback'],
    );
  });

  it('sets too much is an empty answer', async (t) => {
    const { ask, errors } = await startAgent(t, { ask: failing }, { fallback: ({ set }) => set('x', 'x'.repeat(800)) });
    assert.equal(await ask(['ask']), '');
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['failed', 'too_large', 'fallback'],
    );
  });

  /** As a compiler to an older JavaScript, or a wrapper, makes of an async function. */
  const wrapped = (fallback: (context: FallbackContext) => Promise<void>) =>
    ((context: FallbackContext) => fallback(context)) as unknown as (context: FallbackContext) => void;

  it('sets behind an await is reported twice: for its promise, and for what is lost', async (t) => {
    const { ask, errors } = await startAgent(
      t,
      { ask: failing },
      {
        fallback: wrapped(async ({ set }) => {
          set('action', 'deny');
          await settled();
          set('why', 'late');
        }),
      },
    );
    assert.equal(await ask(['ask']), variables({ action: str('deny') }));
    await settled();
    assert.deepEqual(
      errors.map(({ code, message }) => [code, message]),
      [
        ['failed', 'message "ask": boom'],
        ['fallback', 'message "ask": fallback returned a promise, which nothing awaits: it must set before it returns'],
        [
          'lost',
          'message "ask": variable "why" was set when it had been answered: await what sets it, or return its promise',
        ],
      ],
    );
  });

  it('rejects does not end the process', async (t) => {
    const { ask, errors } = await startAgent(
      t,
      { ask: failing },
      { fallback: wrapped(() => Promise.reject(new Error('bang'))) },
    );
    assert.equal(await ask(['ask']), '');
    await settled();
    assert.deepEqual(errors.map(({ message }) => message).at(-1), 'message "ask": fallback: bang');
  });

  it('is absent is an empty answer', async (t) => {
    const { ask } = await startAgent(t, { ask: failing });
    assert.equal(await ask(['ask']), '');
  });
});

describe('an onError that throws', () => {
  it('does not end the agent', async (t) => {
    const written: string[] = [];
    t.mock.method(process.stderr, 'write', (line: string) => void written.push(line));
    const { ask } = await startAgent(
      t,
      {
        ask() {
          throw new Error('boom');
        },
      },
      {
        fallback,
        onError() {
          throw new Error('bang');
        },
      },
    );
    assert.equal(await ask(['ask']), instead('failed'));
    assert.match(
      written.join(''),
      /^haverdict-spop: onError threw about: message "ask": boom \(failed\)\nError: bang\n/,
    );
  });

  it('later, by a promise, does not end it either', async (t) => {
    const written: string[] = [];
    t.mock.method(process.stderr, 'write', (line: string) => void written.push(line));
    const { ask } = await startAgent(
      t,
      { ask: () => Promise.reject(new Error('boom')) },
      { fallback, onError: () => Promise.reject(new Error('bang')) },
    );
    assert.equal(await ask(['ask']), instead('failed'));
    await settled();
    assert.match(
      written.join(''),
      /^haverdict-spop: onError threw about: message "ask": boom \(failed\)\nError: bang\n/,
    );
  });
});

/** What is not SPOP, and what is, but broken. */
const GARBAGE: Readonly<Record<string, Uint8Array>> = {
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: agent\r\n\r\n'),
  'a TLS hello': Buffer.from('16030100c8010000c40303', 'hex'),
  zeros: Buffer.alloc(64),
  'a length of 4 GiB': Buffer.alloc(64, 0xff),
  'NOTIFY before HELLO': notify(1, 1, ['ask']),
  'random bytes': Buffer.from('8f3b5a17c29e4d60a1b2c3d4e5f60718293a4b5c6d7e8f90', 'hex'),
  'a HELLO cut off': hello().slice(0, 20),
  'a second HELLO': Buffer.concat([hello(), hello()]),
  'a NOTIFY that lies about its lengths': Buffer.concat([
    hello(),
    Buffer.from('0000000a030000000101010a61', 'hex'),
    Buffer.alloc(9),
  ]),
};

describe('a peer of another protocol', () => {
  const BEGINS: Readonly<Record<string, readonly [Uint8Array, string]>> = {
    HTTP: [Buffer.from('GET / HTTP/1.1\r\n'), 'HTTP, not SPOP: only HAProxy\'s "filter spoe" may connect here'],
    'HTTP/2': [Buffer.from('PRI * HTTP/2.0\r\n'), 'HTTP, not SPOP: only HAProxy\'s "filter spoe" may connect here'],
    TLS: [
      Buffer.from('16030100c8010000c40303', 'hex'),
      'TLS, not SPOP: the server line of HAProxy must be without "ssl"',
    ],
    PROXY: [
      Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'),
      'the PROXY protocol, not SPOP: the server line of HAProxy must be without "send-proxy"',
    ],
    'PROXY 2': [
      Buffer.from('0d0a0d0a000d0a515549540a', 'hex'),
      'the PROXY protocol, not SPOP: the server line of HAProxy must be without "send-proxy"',
    ],
    SSH: [Buffer.from('SSH-2.0-x\r\n'), 'SSH, not SPOP'],
    'nobody knows what': [Buffer.alloc(8, 0xff), 'frame of 4294967295 bytes is above 4096'],
  };
  for (const [what, [bytes, text]] of Object.entries(BEGINS))
    it(`is named, and where it comes from: ${what}`, async (t) => {
      const { agent, errors } = await startAgent(t, { ask() {} });
      const bad = await Client.connect({ host: '127.0.0.1', port: portOf(agent) });
      const { localPort } = bad.socket;
      bad.socket.write(bytes);
      while (errors.length === 0) await settled();
      assert.deepEqual(
        errors.map(({ code, message }) => [code, message]),
        [['protocol', `connection from 127.0.0.1:${localPort} closed: ${text}`]],
      );
      bad.socket.destroy();
    });
});

describe('a peer that sends', () => {
  for (const [what, bytes] of Object.entries(GARBAGE))
    it(`${what} does not keep the agent from answering others`, async (t) => {
      const { agent, ask, connected, clock } = await startAgent(t, { ask: ({ set }) => set('action', 'deny') });
      const before = await connected();
      const bad = await Client.connect({ host: '127.0.0.1', port: portOf(agent) });
      bad.socket.write(bytes);
      await settled();
      bad.socket.resetAndDestroy();
      before.socket.write(notify(1, 1, ['ask']));
      const [, ack] = await before.received(2);
      assert.equal(toHex(ack?.payload ?? []), variables({ action: str('deny') }));
      assert.equal(await ask(['ask']), variables({ action: str('deny') }));
      clock.advance(200);
      before.socket.destroy();
    });
});
