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

  it('rejects where no agent listens', async (t) => {
    const { path, close } = await adminSocket(t);
    await close();
    await assert.rejects(
      askAgent(path, STATE),
      (error) => error instanceof CliError && /does not exist/.test(error.message),
    );
    writeFileSync(path, '');
    await assert.rejects(
      askAgent(path, STATE),
      (error) => error instanceof CliError && /connection refused/.test(error.message),
    );
  });

  it('names the configuration where the usual socket is not there, which was asked without one', () =>
    assert.rejects(
      askAgent('/run/haverdict/admin.sock', STATE),
      /does not exist: start the agent, or name the configuration of the one that runs with -c FILE or HAVERDICT_CONFIG$/,
    ));

  // Root may open everything.
  if (!isRoot)
    it('rejects where the user may not connect', async (t) => {
      const { path } = await adminSocket(t);
      chmodSync(path, 0o000);
      await assert.rejects(askAgent(path, STATE), {
        message: `${path}: permission denied: run this as root or as the user of the agent`,
      });
    });

  const cases: readonly { name: string; says: RegExp; answer: (socket: Socket) => void }[] = [
    {
      name: 'another version',
      says: /runs another release than this command/,
      answer: (socket) => socket.end('{"version":2,"result":{}}\n'),
    },
    {
      name: 'no JSON',
      says: /not the socket of a haverdict agent$/,
      answer: (socket) => socket.end('220 mail.example ESMTP\r\n'),
    },
    { name: 'no object', says: /not the socket of a haverdict agent$/, answer: (socket) => socket.end('null\n') },
    {
      name: 'half an answer',
      says: /not the socket of a haverdict agent$/,
      answer: (socket) => socket.end('{"version":1,"res'),
    },
    { name: 'nothing', says: /the agent closed the connection before it answered$/, answer: (socket) => socket.end() },
    { name: 'no answer in time', says: /no answer within 0\.1 s$/, answer: () => {} },
    {
      name: 'an error that would steer a terminal',
      says: /^the agent: \\u001b\[2J$/,
      answer: (socket) => socket.end('{"version":1,"error":"\\u001b[2J"}\n'),
    },
    {
      name: 'more than anybody reads',
      says: /the answer exceeds 16777216 bytes$/,
      answer: (socket) => socket.end(Buffer.alloc(17_000_000, '{')),
    },
  ];
  for (const { name, says, answer } of cases) {
    it(`rejects with one line for ${name}`, async (t) => {
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
