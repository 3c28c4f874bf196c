import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createAgent } from '../../../spop/agent/create-agent.ts';
import type { ListenOptions } from '../../../spop/server/listen-options.ts';
import { portOf, startAgent, variables } from '../../support/spop/agent-world.ts';
import { Client } from '../../support/spop/client.ts';
import { settled } from '../../support/spop/conversation.ts';
import { disconnect, HEALTH_CHECK, hello, notify, pairs, str, toHex } from '../../support/spop/naive-codec.ts';

const deny = ({ set }: { set: (name: string, value: string) => void }) => set('action', 'deny');
const DENIED = variables({ action: str('deny') });

describe('createAgent', () => {
  it('answers a message with what its function sets, at once or later', async (t) => {
    const { ask, errors } = await startAgent(t, {
      now: deny,
      later: async ({ set }) => {
        await settled();
        set('action', 'deny');
      },
    });
    assert.equal(await ask(['now']), DENIED);
    assert.equal(await ask(['later']), DENIED);
    assert.deepEqual(errors, []);
  });

  it('answers all messages of a frame in one ACK, in their order', async (t) => {
    const { ask } = await startAgent(t, {
      slow: async ({ set }) => {
        await settled();
        set('one', 'a');
      },
      quick: ({ set }) => set('two', 'b'),
    });
    assert.equal(await ask(['slow'], ['quick']), variables({ one: str('a') }) + variables({ two: str('b') }));
  });

  it('answers a message without a function empty, and says so', async (t) => {
    const { ask, errors } = await startAgent(t, { known: deny });
    assert.equal(await ask(['unknown'], ['known']), DENIED);
    assert.equal(await ask(['unknown']), '');
    assert.deepEqual(
      errors.map(({ code, spopMessage }) => [code, spopMessage]),
      [
        ['unknown_message', 'unknown'],
        ['unknown_message', 'unknown'],
      ],
    );
  });

  it('answers 20 messages of a connection in the order in which their functions end', async (t) => {
    const resolvers: (() => void)[] = [];
    const { connected } = await startAgent(t, { ask: () => new Promise<void>((resolve) => resolvers.push(resolve)) });
    const client = await connected();
    client.socket.write(Buffer.concat(Array.from({ length: 20 }, (_, index) => notify(index + 1, 1, ['ask']))));
    while (resolvers.length < 20) await settled();
    for (const resolve of resolvers.toReversed()) resolve();
    const [, ...acks] = await client.received(21);
    assert.deepEqual(
      acks.map(({ streamId }) => Number(streamId)),
      Array.from({ length: 20 }, (_, index) => 20 - index),
    );
    client.socket.destroy();
  });

  it('answers a health check, and none once it closes', async (t) => {
    const { agent, connected } = await startAgent(t, { ask: () => new Promise(() => {}) });
    const check = await Client.connect({ host: '127.0.0.1', port: portOf(agent) });
    check.socket.write(HEALTH_CHECK);
    const [answer] = await check.received(1);
    assert.equal(answer?.type, 101);
    const busy = await connected();
    const late = await Client.connect({ host: '127.0.0.1', port: portOf(agent) });
    busy.socket.write(notify(1, 1, ['ask']));
    await settled();
    void agent.close();
    late.socket.write(HEALTH_CHECK);
    await late.closed();
    assert.deepEqual(
      late.frames.filter(({ type }) => type === 101),
      [],
    );
    check.socket.destroy();
    busy.socket.destroy();
  });

  it('closes: answers what waits, then says DISCONNECT; the port is free', async (t) => {
    let answer = () => {};
    const { agent, clock, connected } = await startAgent(t, {
      ask: ({ set }) =>
        new Promise<void>((resolve) => {
          answer = () => {
            set('action', 'deny');
            resolve();
          };
        }),
    });
    const client = await connected();
    client.socket.write(notify(1, 1, ['ask']));
    while (answer.toString() === (() => {}).toString()) await settled();
    const port = portOf(agent);
    const closed = agent.close();
    assert.deepEqual(agent.addresses, []);
    answer();
    await settled();
    clock.advance(100);
    const [, ack, goodbye] = await client.received(3);
    assert.deepEqual([ack?.type, toHex(ack?.payload ?? []), goodbye?.type], [103, DENIED, 102]);
    client.socket.destroy();
    await closed;
    await assert.rejects(Client.connect({ host: '127.0.0.1', port }));
  });

  it('closes within its limit, although a peer reads nothing and says nothing', async (t) => {
    const { agent, clock, connected } = await startAgent(
      t,
      { ask: () => new Promise(() => {}) },
      { deadlineMs: 60_000 },
    );
    const client = await connected();
    client.socket.write(notify(1, 1, ['ask']));
    await settled();
    const closed = agent.close({ limitMs: 300 });
    clock.advance(301);
    await closed;
    client.socket.destroy();
  });

  it('closes once, and does not listen again', async (t) => {
    const { agent } = await startAgent(t, { ask: deny });
    await Promise.all([agent.close(), agent.close()]);
    await assert.rejects(agent.listen({ port: 0 }), { code: 'ERR_AGENT_CLOSED', message: /closed: make another one/ });
  });

  it('is not left listening by what went wrong in between: a group that there is not, a close meanwhile', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-spop-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'agent.sock');
    const agent = createAgent({ ask: deny });
    await assert.rejects(agent.listen({ path, group: 'no-such-group' }), /no-such-group/);
    await assert.rejects(Client.connect({ path }), /ECONNREFUSED|ENOENT/);
    const listening = assert.rejects(agent.listen({ path }), /closed: make another one/);
    await Promise.all([listening, agent.close()]);
    await assert.rejects(Client.connect({ path }), /ECONNREFUSED|ENOENT/);
  });

  it('listens on a unix socket with the rights it is given, and on several addresses', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-spop-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'agent.sock');
    const { agent } = await startAgent(t, { ask: deny });
    await agent.listen({ path, mode: 0o640 });
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.deepEqual(agent.addresses, [`tcp://127.0.0.1:${portOf(agent)}`, `unix:${path}`]);
    const client = await Client.connect({ path });
    client.socket.write(hello());
    client.socket.write(notify(1, 1, ['ask']));
    const [, ack] = await client.received(2);
    assert.equal(toHex(ack?.payload ?? []), DENIED);
    client.socket.destroy();
  });

  it('rejects an address that it cannot have, with one line that names it', async (t) => {
    const { agent } = await startAgent(t, { ask: deny });
    const other = createAgent({ ask: deny });
    await assert.rejects(other.listen({ port: portOf(agent) }), {
      name: 'ListenError',
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${portOf(agent)}: listen EADDRINUSE: address already in use 127.0.0.1:${portOf(agent)}`,
    });
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-spop-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'agent.sock');
    await agent.listen({ path });
    /** The number behind the last one is that of nobody. */
    const nobody = ['no-such', '4294967295', '99999999999', '-1'];
    const rows: (readonly [ListenOptions, string, RegExp])[] = [
      [{ path: '/no/such/folder/agent.sock' }, 'ENOENT', /folder \/no\/such\/folder does not exist$/],
      [{ path: join(folder, 'file') }, 'EEXIST', /file exists and is not a socket: remove it or listen elsewhere$/],
      [{ path: folder }, 'EEXIST', /exists and is not a socket/],
      [{ path }, 'EADDRINUSE', /agent\.sock is in use by a running process$/],
      ...nobody.map(
        (group) => [{ path: `${path}2`, group }, 'EINVAL', new RegExp(`no group "${group}" on this host$`)] as const,
      ),
      ...nobody.map(
        (owner) => [{ path: `${path}2`, owner }, 'EINVAL', new RegExp(`no user "${owner}" on this host$`)] as const,
      ),
    ];
    for (const [where, code, message] of rows)
      await assert.rejects(other.listen(where), { name: 'ListenError', code, message });
    assert.deepEqual(other.addresses, []);
    await other.close();
  });

  it('has ten times the room without pipelining, and asks for one message at a time', async (t) => {
    const large = { ask: ({ set }: { set: (name: string, value: string) => void }) => set('token', 'x'.repeat(8000)) };
    const { ask, connected, errors } = await startAgent(t, large, { pipelining: false });
    assert.equal(await ask(['ask']), variables({ token: str('x'.repeat(8000)) }));
    assert.deepEqual(errors, []);
    const client = await connected();
    const [answer] = client.frames;
    assert.ok(toHex(answer?.payload ?? []).includes(toHex(pairs([['capabilities', str('')]]))));
    client.socket.destroy();
  });

  it('tells what HAProxy gives as its reason to leave', async (t) => {
    const { connected, errors } = await startAgent(t, { ask: deny });
    const client = await connected();
    client.socket.write(disconnect(10, 'fragmentation not supported'));
    await client.closed();
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['disconnected'],
    );
    assert.match(errors[0]?.message ?? '', /fragmentation not supported, status 10; .*no option send-frag-payload/);
  });
});
