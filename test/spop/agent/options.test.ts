import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AgentFunctions, type AgentOptions, createAgent } from '../../../spop/agent/create-agent.ts';
import { message } from '../../../spop/agent/message.ts';
import type { ListenOptions } from '../../../spop/server/listen-options.ts';

const ask = () => {};
const agent = createAgent({ ask });

/** What is called with one wrong value, as a program without types does. */
const CALLS = {
  messages: (given: unknown) => createAgent(given as AgentFunctions),
  options: (given: unknown) => createAgent({ ask }, given as AgentOptions),
  message: (given: unknown) => message(given as object, ask),
  run: (given: unknown) => message({ vars: {} }, given as typeof ask),
  listen: (given: unknown) => agent.listen(given as ListenOptions),
  close: (given: unknown) => agent.close(given as object),
};

const LONG = 'x'.repeat(65);
const NAME = '1 to 64 of A-Z a-z 0-9 _ . : and -';
const TYPES = 'one of address, text, bytes, integer, bigint, boolean';
const EITHER = "{ port: 9000 } or { path: '/run/agent.sock' }";
const FUNCTIONS = "an object of functions: { 'check-request': ({ args, set }) => … }";
const PORT = 'a whole number from 0 to 65535';
const HOST = "a name or an address: '127.0.0.1', or '0.0.0.0' for every address";
const WHO = "a name, or a number as '1000'";
const MODE = 'from 0o000 to 0o777, as 0o660';
const DEADLINE = 'a whole number from 1 to 60000';
const LIMIT = 'a whole number from 0 to 2147483647';

/** Every option: wrong values of it, and the whole text of the error. */
const REFUSED: Readonly<Record<keyof typeof CALLS, readonly (readonly [given: unknown, text: string])[]>> = {
  messages: [
    [undefined, `createAgent: messages is undefined: must be ${FUNCTIONS}`],
    [null, `createAgent: messages is null: must be ${FUNCTIONS}`],
    [ask, `createAgent: messages is a function: must be ${FUNCTIONS}`],
    ['ask', `createAgent: messages is "ask": must be ${FUNCTIONS}`],
    [[ask], `createAgent: messages is an array: must be ${FUNCTIONS}`],
    [new Map([['ask', ask]]), `createAgent: messages is an object: must be ${FUNCTIONS}`],
    [
      new (class {
        ask() {}
      })(),
      `createAgent: messages is an object: must be ${FUNCTIONS}`,
    ],
    [{ ask: 'deny' }, 'createAgent: what answers "ask" is "deny": must be a function, or what message() returns'],
    [{ ask: undefined }, 'createAgent: what answers "ask" is undefined: must be a function, or what message() returns'],
    [
      { ask: { args: {} } },
      'createAgent: what answers "ask" is an object: must be a function, or what message() returns',
    ],
    [{ 'a b': ask }, `createAgent: the name of a message is "a b": must be ${NAME}`],
    [{ '': ask }, `createAgent: the name of a message is "": must be ${NAME}`],
    [{ 'ask\n': ask }, `createAgent: the name of a message is "ask\\n": must be ${NAME}`],
    [{ [LONG]: ask }, `createAgent: the name of a message is "${LONG.slice(0, 60)}…": must be ${NAME}`],
  ],
  options: [
    [null, 'createAgent: options is null: must be an object of deadlineMs, fallback, onError, pipelining'],
    [500, 'createAgent: options is 500: must be an object of deadlineMs, fallback, onError, pipelining'],
    [
      { deadlineMS: 5 },
      'createAgent: "deadlineMS" is no option: must be one of deadlineMs, fallback, onError, pipelining',
    ],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 60_001, null, true].map(
      (given) => [{ deadlineMs: given }, `createAgent: deadlineMs is ${given}: must be ${DEADLINE}`] as const,
    ),
    [{ deadlineMs: '5' }, `createAgent: deadlineMs is "5": must be ${DEADLINE}`],
    [{ deadlineMs: 5n }, `createAgent: deadlineMs is 5n: must be ${DEADLINE}`],
    [{ fallback: 'deny' }, 'createAgent: fallback is "deny": must be a function'],
    [{ fallback: null }, 'createAgent: fallback is null: must be a function'],
    [
      { fallback: async () => {} },
      'createAgent: fallback is async: must set before it returns, as the message is answered then',
    ],
    [{ onError: {} }, 'createAgent: onError is an object: must be a function'],
    [{ onError: null }, 'createAgent: onError is null: must be a function'],
    [{ pipelining: 'no' }, 'createAgent: pipelining is "no": must be true or false'],
    [{ pipelining: 0 }, 'createAgent: pipelining is 0: must be true or false'],
  ],
  message: [
    [undefined, 'message: options is undefined: must be an object of args, vars'],
    [{}, 'message: must declare args or vars; without, createAgent takes the function alone'],
    [{ arg: {} }, 'message: "arg" is no option: must be one of args, vars'],
    [{ args: ['ip'] }, 'message: args is an array: must be an object of types by name'],
    [{ args: { ip: 'ip' } }, `message: args.ip is "ip": must be ${TYPES}`],
    [{ args: { ip: 'toString' } }, `message: args.ip is "toString": must be ${TYPES}`],
    [{ args: { ip: null } }, `message: args.ip is null: must be ${TYPES}`],
    [{ args: { 'i=p': 'address' } }, `message: a name in args is "i=p": must be ${NAME}`],
    [{ vars: { action: 'string' } }, `message: vars.action is "string": must be ${TYPES}`],
    [{ vars: { 'x-action': 'text' } }, 'message: a name in vars is "x-action": must be 1 to 40 of A-Z a-z 0-9 _ and .'],
    [
      { vars: { [LONG]: 'text' } },
      `message: a name in vars is "${LONG.slice(0, 60)}…": must be 1 to 40 of A-Z a-z 0-9 _ and .`,
    ],
  ],
  run: [
    [undefined, 'message: what answers it is undefined: must be a function'],
    [{}, 'message: what answers it is an object: must be a function'],
  ],
  listen: [
    [undefined, `listen is undefined: must be ${EITHER}`],
    [null, `listen is null: must be ${EITHER}`],
    [9000, `listen is 9000: must be ${EITHER}`],
    ['127.0.0.1:9000', `listen is "127.0.0.1:9000": must be ${EITHER}`],
    [[{ port: 0 }], `listen is an array: must be ${EITHER}`],
    [{}, `listen: must have either port or path: ${EITHER}`],
    [{ port: 0, path: '/run/a.sock' }, `listen: must have either port or path: ${EITHER}`],
    [{ port: undefined }, `listen: must have either port or path: ${EITHER}`],
    [{ port: '9000' }, `listen: port is "9000": must be ${PORT}`],
    ...[-1, 65_536, 1.5, Number.NaN, null].map(
      (given) => [{ port: given }, `listen: port is ${given}: must be ${PORT}`] as const,
    ),
    [{ port: 0, host: '' }, `listen: host is "": must be ${HOST}`],
    [{ port: 0, host: null }, `listen: host is null: must be ${HOST}`],
    [{ port: 0, host: 'a b' }, `listen: host is "a b": must be ${HOST}`],
    [{ port: 0, hostname: '::1' }, 'listen: "hostname" is no option: must be one of port, host'],
    [{ port: 0, mode: 0o660 }, 'listen: "mode" is no option: must be one of port, host'],
    [{ path: '/run/a.sock', host: '::1' }, 'listen: "host" is no option: must be one of path, mode, owner, group'],
    [{ path: 'a.sock' }, 'listen: path is "a.sock": must be an absolute path'],
    [{ path: '' }, 'listen: path is "": must be an absolute path'],
    [{ path: 7 }, 'listen: path is 7: must be an absolute path'],
    [{ path: '/run/a\0.sock' }, 'listen: path is "/run/a\\u0000.sock": must be an absolute path'],
    [{ path: `/${'x'.repeat(107)}` }, 'listen: path has 108 bytes: the path of a socket has at most 107'],
    [{ path: `/${'é'.repeat(54)}` }, 'listen: path has 109 bytes: the path of a socket has at most 107'],
    ...[600, 660, 666, 777, 9999, -1, 1.5, '0660', null].map(
      (given) =>
        [
          { path: '/run/a.sock', mode: given },
          `listen: mode is ${typeof given === 'string' ? `"${given}"` : given}: must be ${MODE}`,
        ] as const,
    ),
    [{ path: '/run/a.sock', owner: 0 }, `listen: owner is 0: must be ${WHO}`],
    [{ path: '/run/a.sock', owner: '' }, `listen: owner is "": must be ${WHO}`],
    [{ path: '/run/a.sock', group: 1000 }, `listen: group is 1000: must be ${WHO}`],
    [{ path: '/run/a.sock', group: 'ha proxy' }, `listen: group is "ha proxy": must be ${WHO}`],
  ],
  close: [
    [null, 'close: options is null: must be an object of limitMs'],
    [5000, 'close: options is 5000: must be an object of limitMs'],
    [{ limit: 5 }, 'close: "limit" is no option: must be one of limitMs'],
    [{ limitMs: '5' }, `close: limitMs is "5": must be ${LIMIT}`],
    ...[-1, 0.5, Number.NaN, 2 ** 31].map(
      (given) => [{ limitMs: given }, `close: limitMs is ${given}: must be ${LIMIT}`] as const,
    ),
  ],
};

describe('a wrong value is refused where it is given', () => {
  for (const [call, rows] of Object.entries(REFUSED))
    it(`by ${call}, with one line that says what would be right`, async () => {
      for (const [given, text] of rows) {
        const result = async () => CALLS[call as keyof typeof CALLS](given);
        await assert.rejects(result, { name: 'TypeError', message: text });
        assert.ok(!text.includes('\n'));
      }
    });

  it('and leaves the agent as it was', async () => {
    await agent.listen({ port: 0 });
    assert.equal(agent.addresses.length, 1);
    await agent.close({ limitMs: 0 });
  });
});

describe('an option that is undefined is absent', () => {
  it('so that an agent listens on loopback alone, with the usual rights', async () => {
    const given = createAgent({ ask }, { deadlineMs: undefined, fallback: undefined, onError: undefined } as object);
    await given.listen({ port: 0, host: undefined, path: undefined } as unknown as ListenOptions);
    assert.match(given.addresses.join(), /^tcp:\/\/127\.0\.0\.1:\d+$/);
    await given.close({ limitMs: undefined } as object);
  });
});
