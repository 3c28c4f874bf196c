import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { isAnswered, LISTED, type Output, startAgentOn } from '../support/agent-on-output.ts';
import { SCOPE } from '../support/scope.ts';
import { str } from '../support/spop/naive-codec.ts';
import { type StalledPipe, stalledPipe } from '../support/stalled-pipe.ts';

/** Long enough on any machine, since nothing is measured: what is broken here never comes. */
const LIMIT = { timeout: 120_000 };
const LOST = /"msg":"log lines dropped: standard output was blocked"/;

/** Prints a megabyte with each request, in lines and in one piece, and past its own streams. */
const LOUD = `import { writeSync } from 'node:fs';
const text = 'x'.repeat(1_000_000);
export default { scripted: () => {
  console.log(text); console.error(text.replaceAll('xx', 'x\\n')); process.stdout.write(text);
  try { writeSync(1, text); writeSync(2, text); } catch {}
  return { action: 'deny', reason: 'by script' };
} };`;

/** Runs a program with a full socket for both of its streams, as the journal's is; nobody reads the other end. */
const ON_FULL_SOCKET = `
import os, socket, sys
reader, writer = socket.socketpair()
writer.setblocking(False)
try:
    while True: writer.send(b'x' * 512)
except BlockingIOError: pass
writer.setblocking(True)
reader.set_inheritable(True)
for stream in (1, 2): os.dup2(writer.fileno(), stream)
os.execv(sys.argv[1], sys.argv[1:])
`;

/** The same with a terminal that is full, as after Ctrl-S. */
const ON_FULL_TERMINAL = `
import os, pty, sys
terminal, slave = pty.openpty()
os.set_blocking(slave, False)
try:
    while True: os.write(slave, b'x' * 512)
except BlockingIOError: pass
os.set_blocking(slave, True)
os.set_inheritable(terminal, True)
for stream in (1, 2): os.dup2(slave, stream)
os.execv(sys.argv[1], sys.argv[1:])
`;

/** Where the log goes, in which nothing can be written from the beginning. */
const OUTPUTS: Readonly<Record<string, (t: TestContext) => Output>> = {
  'a pipe that nobody reads': (t) => ({ descriptor: stalledPipe(t).writeEnd }),
  'a socket that nobody reads': (t) => ({
    descriptor: opened(t, '/dev/null'),
    launcher: ['python3', '-c', ON_FULL_SOCKET],
  }),
  'a terminal that is stopped': (t) => ({
    descriptor: opened(t, '/dev/null'),
    launcher: ['python3', '-c', ON_FULL_TERMINAL],
  }),
  'a full disk': (t) => ({ descriptor: opened(t, '/dev/full') }),
  'a pipe whose reader is gone'(t) {
    const pipe = stalledPipe(t);
    pipe.closeReader();
    return { descriptor: pipe.writeEnd };
  },
};
const AGENTS: Readonly<Record<string, object>> = {
  'one process': {},
  ...(SCOPE === 'all' && { 'two workers': { workers: 2 } }),
};

describe('an agent whose standard output and standard error are', { concurrency: 2 }, () => {
  for (const [output, open] of Object.entries(OUTPUTS))
    for (const [processes, settings] of Object.entries(AGENTS))
      it(`${output}: ${processes} answers all the same, and SIGTERM ends it with 0`, LIMIT, async (t) => {
        const agent = await startAgentOn(t, open(t), { settings });
        await isAnswered(agent);
        assert.equal(await agent.end(), 0);
      });
});

describe('the log of an agent on a pipe that nobody reads', { concurrency: 2 }, () => {
  for (const [processes, settings] of Object.entries(AGENTS))
    it(`tells, once it is read again, how many lines were lost, as the metric does: ${processes}`, LIMIT, async (t) => {
      const pipe = stalledPipe(t);
      const agent = await startAgentOn(t, { descriptor: pipe.writeEnd }, { settings });
      while ((await agent.linesDropped()) < 10) process.kill(agent.pid, 'SIGUSR1');
      await isAnswered(agent);
      const dropped = await agent.linesDropped();
      const lost = JSON.parse(await pipe.lineLike(LOST));
      assert.equal(lost.level, 40);
      assert.ok(lost.dropped >= dropped, `${lost.dropped} told, ${dropped} counted`);
      assert.equal(await agent.linesDropped(), lost.dropped);
      process.kill(agent.pid, 'SIGUSR1');
      assert.equal(await agent.end(), 0);
      await pipe.lineLike(/"msg":"stopped"/);
      for (const line of pipe.lines) JSON.parse(line); // none is torn
    });

  it('has all lines in order where there was room for them', LIMIT, async (t) => {
    const pipe = stalledPipe(t);
    const agent = await startAgentOn(t, { descriptor: pipe.writeEnd });
    await isAnswered(agent);
    assert.equal(await agent.linesDropped(), 0);
    await pipe.lineLike(/"msg":"denied"/);
    assert.equal(await agent.end(), 0);
    await pipe.lineLike(/"msg":"stopped"/);
    isInOrder(pipe);
    assert.match(pipe.lines[0] ?? '', /agent is listening/);
    assert.ok(!pipe.lines.some((line) => LOST.test(line)));
  });

  it('does not grow with what a script prints, nor is the script blocked', LIMIT, async (t) => {
    const agent = await startAgentOn(t, { descriptor: stalledPipe(t).writeEnd }, { script: LOUD });
    for (let count = 0; count < 15; count++)
      assert.equal((await agent.haproxy.ask('scripted', [['ip', LISTED], ['kind', str('x')]])).reason, 'by script'); // biome-ignore format: one line
    await isAnswered(agent);
    assert.equal(await agent.linesDropped(), 0);
    assert.equal(await agent.end(), 0);
  });
});

function isInOrder({ lines }: StalledPipe): void {
  const byMessage = lines.map((line) => JSON.parse(line) as { time: string });
  for (const [index, { time }] of byMessage.entries())
    assert.ok(index === 0 || time >= (byMessage[index - 1]?.time ?? ''), lines[index]);
}

function opened(t: TestContext, path: string): number {
  const descriptor = openSync(path, 'w');
  t.after(() => closeSync(descriptor));
  return descriptor;
}
