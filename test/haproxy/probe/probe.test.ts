import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { MessageSettings } from '../../../config/settings.ts';
import { REASONS } from '../../../contract/policy.ts';
import { KINDS, subjectFromTraffic } from '../../../contract/subject.ts';
import { encodeHaproxyHello } from '../../../haproxy/probe/haproxy-frames.ts';
import { probe } from '../../../haproxy/probe/probe.ts';
import { type Action, encodeAgentDisconnect, type Message, SpopStatus } from '../../../spop/spop.ts';
import { startScriptedAgent } from '../../support/scripted-agent.ts';
import { settingsWith } from '../../support/settings.ts';

const LIMIT_MS = 300;
const [MESSAGE] = settingsWith({}).messages;
const messages = MESSAGE === undefined ? [] : [MESSAGE];
const set = (name: string, value: string): Action => ({
  type: 'set-var',
  scope: 'txn',
  name,
  value: { type: 'string', value },
});

const every: MessageSettings = {
  required: [],
  oddPaths: 'refuse',
  name: 'every-kind',
  subjects: [...KINDS, 'header.x-a', 'cookie.session'].map((kind) => ({ kind, expression: 'src' })),
  arguments: [{ name: 'given', expression: 'path' }],
  event: 'on-frontend-http-request',
  policy: { default: 'open' },
  shadow: false,
};

describe('the probe', () => {
  it('sends a value of every kind that can be looked up, and one for each argument', async (t) => {
    const seen: Message[] = [];
    const { port } = await startScriptedAgent(t, (received) => {
      seen.push(...received);
      return [set('action', 'allow'), set('source', 'backend')];
    });
    assert.equal((await probe(at(port), [every], LIMIT_MS))[1]?.ok, true);
    const args = seen[0]?.args ?? [];
    assert.deepEqual(
      args.map(({ name }) => name),
      [...every.subjects.map(({ kind }) => kind), 'given'],
    );
    for (const { name, value } of args.slice(0, -1)) {
      const bytes = (value as { readonly value: Uint8Array }).value; // addresses and texts are received as bytes
      const written = value.type === 'ipv4' ? Buffer.from(bytes.join('.')) : bytes;
      assert.ok(subjectFromTraffic(name, written) !== undefined, `${name}: ${Buffer.from(written)} is bad_subject`);
    }
  });

  for (const [source, reason, ok] of [
    ['backend', undefined, true],
    ['backend', 'abuse', true],
    ['cache', undefined, true],
    ['rules', undefined, true],
    ['stale', undefined, false],
    ['policy', undefined, false],
    ['policy', 'a reason of a later version', false],
    [undefined, undefined, false],
    ...REASONS.map((reason) => ['policy', reason, false] as const),
  ] as const)
    it(`${ok ? 'takes' : 'complains about'} a decision from ${source} (${reason})`, async (t) => {
      const actions = [
        set('action', 'allow'),
        ...(source ? [set('source', source)] : []),
        ...(reason ? [set('reason', reason)] : []),
      ];
      const { port } = await startScriptedAgent(t, () => actions);
      const [, result] = await probe(at(port), messages, LIMIT_MS);
      assert.equal(result?.ok, ok);
      assert.match(result?.what ?? '', new RegExp(`^allow from ${source ?? 'nowhere'}`));
      if (source === 'policy') assert.match(result?.what ?? '', /: \S/);
    });

  it('greets like a health check of HAProxy', () => {
    // spop.md 1.6: byte for byte on all versions
    assert.equal(
      Buffer.from(encodeHaproxyHello(16_380, true)).toString('hex'),
      '0000004e010000000100001273' +
        '7570706f727465642d76657273696f6e730803322e300e6d61782d6672616d652d73697a6503fcf0060c6361706162696c697469657308000b6865616c7468636865636b11',
    );
  });

  it('sends every message with an unused address and reports the decision, its source and reason', async (t) => {
    const seen: Message[] = [];
    const { port } = await startScriptedAgent(t, (received) => {
      seen.push(...received);
      return [set('action', 'deny'), set('source', 'policy'), set('reason', 'timeout')];
    });
    const results = await probe(at(port), messages, LIMIT_MS);
    assert.deepEqual(
      results.map(({ step, ok, what }) => [step, ok, what]),
      [
        ['healthcheck', true, 'answers'],
        [
          'check-request',
          false,
          'deny from policy (timeout): no answer before deadlineMs; the function may have been idle and starting up, so try again',
        ],
      ],
    );
    assert.deepEqual(seen, [
      { name: 'check-request', args: [{ name: 'ip', value: { type: 'ipv4', value: Uint8Array.of(192, 0, 2, 1) } }] },
    ]);
  });

  it('says so when the answer has no action, or does not come', async (t) => {
    const empty = await startScriptedAgent(t, () => []);
    assert.match((await probe(at(empty.port), messages, LIMIT_MS))[1]?.what ?? '', /sets no action/);
    const silent = await startScriptedAgent(t, () => undefined);
    const [, answer] = await probe(at(silent.port), messages, LIMIT_MS);
    assert.deepEqual([answer?.ok, answer?.what], [false, `no answer within ${LIMIT_MS} ms`]);
  });

  it('stops at the health check where nobody listens, hangs, refuses, closes or speaks something else', async (t) => {
    const { port, stop } = await startScriptedAgent(t, () => []);
    stop();
    const refusal = encodeAgentDisconnect(SpopStatus.unsupportedVersion, 'not you');
    const expected: readonly (readonly [number, RegExp])[] = [
      [port, /ECONNREFUSED/],
      [await server(t, () => {}), /no answer within/],
      [await server(t, (socket) => socket.end(refusal)), /the agent refused: not you/],
      [await server(t, (socket) => socket.end()), /closed the connection without an answer/],
      [await server(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')), /frame of \d+ bytes is above/],
    ];
    for (const [target, what] of expected) {
      const results = await probe(at(target), messages, LIMIT_MS);
      assert.deepEqual([results.length, results[0]?.ok], [1, false]);
      assert.match(results[0]?.what ?? '', what);
    }
  });
});

function at(port: number) {
  return { type: 'tcp', host: '127.0.0.1', port } as const;
}

async function server(t: TestContext, greet: (socket: import('node:net').Socket) => void): Promise<number> {
  const listening = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => greet(socket));
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.after(() => listening.close());
  return (listening.address() as AddressInfo).port; // a TCP server has one
}
