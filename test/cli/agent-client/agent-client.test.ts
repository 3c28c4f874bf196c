import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { askAgent } from '../../../cli/agent-client/agent-client.ts';
import { CliError } from '../../../cli/exit/cli-error.ts';
import { adminSocket } from '../../support/admin-socket.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { isRoot } from '../../support/scope.ts';

const STATE = { command: 'state' } as const;

describe('asking the running agent', () => {
  it('brings what the command results in', async (t) => {
    const { path, control } = await adminSocket(t);
    assert.deepEqual(await askAgent(path, STATE), JSON.parse(JSON.stringify(control.next)));
    const flushed = await askAgent(path, { command: 'flush', subjects: ['ip:203.0.113.7'] });
    assert.deepEqual(flushed, { forgotten: 0, unknown: ['ip:203.0.113.7'] });
  });

  it('says where nobody answers, and that it may be a matter of time', async (t) => {
    const { path, close } = await adminSocket(t);
    await close();
    await assert.rejects(
      askAgent(path, STATE),
      (error) => error instanceof CliError && /is not there/.test(error.message),
    );
    writeFileSync(path, '');
    await assert.rejects(
      askAgent(path, STATE),
      (error) => error instanceof CliError && /nobody answers/.test(error.message),
    );
  });

  // Root may open everything.
  if (!isRoot)
    it('says whom the agent listens to', async (t) => {
      const { path } = await adminSocket(t);
      chmodSync(path, 0o000);
      await assert.rejects(askAgent(path, STATE), {
        message: `${path}: permission denied: run this as root or as the agent's user`,
      });
    });

  const cases: readonly { name: string; says: RegExp; answer: (socket: Socket) => void }[] = [
    {
      name: 'another version',
      says: /of another release than this command/,
      answer: (socket) => socket.end('{"version":2,"result":{}}\n'),
    },
    { name: 'no JSON', says: /no haverdict agent$/, answer: (socket) => socket.end('220 mail.example ESMTP\r\n') },
    { name: 'no object', says: /no haverdict agent$/, answer: (socket) => socket.end('null\n') },
    { name: 'half an answer', says: /no haverdict agent$/, answer: (socket) => socket.end('{"version":1,"res') },
    { name: 'nothing', says: /the agent ended before it answered$/, answer: (socket) => socket.end() },
    { name: 'no answer in time', says: /it does not answer within 0\.1 s$/, answer: () => {} },
    {
      name: 'an error that would steer a terminal',
      says: /^the agent: \\u001b\[2J$/,
      answer: (socket) => socket.end('{"version":1,"error":"\\u001b[2J"}\n'),
    },
    {
      name: 'more than anybody reads',
      says: /more than 16777216 bytes$/,
      answer: (socket) => socket.end(Buffer.alloc(17_000_000, '{')),
    },
  ];
  for (const { name, says, answer } of cases) {
    it(`ends in one line where the other side has ${name}`, async (t) => {
      const path = await serverThat(t, answer);
      const limitMs = name === 'no answer in time' ? 100 : 5000;
      await assert.rejects(askAgent(path, STATE, limitMs), (error: Error) => {
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }
});

/** A socket on which each request is met with this. */
async function serverThat(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(t), 'admin.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    socket.once('data', () => answer(socket));
  }).listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  return path;
}
