import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { CheckRequest } from '../../contract/check.ts';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { Asking } from '../support/asking.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeNewer, describeUsual } from '../support/scope.ts';
import { ipv4, str } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

/** Long enough for everything else to be answered meanwhile, however slow the machine. */
const DEADLINE_MS = 1_500;
const OTHERS = 200;
/** A script process that was killed comes back later each time. */
const LIMIT_MS = 100_000;
const LISTED = ipv4(203, 0, 113, 7);
const UNLISTED = ipv4(192, 0, 2, 1);

/** A process that fills its memory or exits may also miss the deadline. */
const EITHER = /^(timeout|script_error)$/;

const GOOD = `export default { scripted: ({ arguments: { kind } }) => ({ action: 'deny', reason: 'by script, ' + kind }) };`;

/** What a faulty function does, the reason of the decision, and the log. */
interface Fault {
  readonly code: string;
  readonly reason: string | RegExp;
  readonly logged: RegExp;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  loops: { code: 'for (;;);', reason: 'timeout', logged: /has not responded for 3 s: endless loop/ },
  throws: {
    code: `throw new Error('oops');`,
    reason: 'script_error',
    logged: /Error: oops","place":".*script\.mjs:1:\d+"/,
  },
  'returns nonsense': { code: 'return 42;', reason: 'script_error', logged: /returned a number, not a decision/ },
  'leaks memory': {
    code: 'for (const kept = []; ; ) kept.push(new Array(1000).fill(1.5));',
    reason: EITHER,
    // a slow machine has not filled it within the seconds of a loop
    logged: /used more than 256 MB of memory|has not responded for 3 s/,
  },
  'ends the process': { code: 'process.exit(5);', reason: EITHER, logged: /exited with code 5/ },
};

const MORE_FAULTS: Readonly<Record<string, Fault>> = {
  'never resolves': {
    code: 'return new Promise(() => {});',
    reason: 'timeout',
    logged: /script function missed the deadline/,
  },
  rejects: { code: `return Promise.reject('why');`, reason: 'script_error', logged: /threw why/ },
  'leaks buffers': {
    code: 'const kept = []; setInterval(() => kept.push(Buffer.alloc(30e6, 1)), 20); return new Promise(() => {});',
    reason: EITHER,
    logged: /used more than 256 MB of memory/,
  },
  'ignores a rejection': {
    code: `Promise.reject(new Error('alone')); return new Promise(() => {});`,
    reason: 'script_error',
    logged: /Error: alone/,
  },
  'throws in a timer': {
    code: `setTimeout(() => { throw new TypeError('later'); }); return new Promise(() => {});`,
    reason: 'script_error',
    logged: /TypeError: later/,
  },
};

/** What is wrong with a new script, and the log. */
type Wrong = readonly (readonly [name: string, text: string, logged: RegExp])[];

const WRONG: Wrong = [
  [
    'is not JavaScript',
    'export default {\n  scripted( { };\n};',
    /"problem":"SyntaxError: .*","place":".*script\.mjs:2"/,
  ],
  ['ends the process', 'process.exit(0);', /exited with code 0/],
];

const MORE_WRONG: Wrong = [
  [
    'throws while it is loaded',
    `\nthrow new Error('not today');`,
    /"problem":"Error: not today","place":".*script\.mjs:2:7"/,
  ],
  [
    'exports nothing',
    'export const script = {};',
    /the default export must be an object with a function for each message/,
  ],
  [
    'has a function for an unknown message',
    'export default { script() {} };',
    /no such message: did you mean scripted\?/,
  ],
];

describeUsual('a script function', () => {
  it('decides with what HAProxy sends and what the lists say', async (t) => {
    const { haproxy } = await setUp(
      t,
      `export default { scripted: ({ arguments: { ip, kind }, decision: { action, source, list, entry } }) =>
        kind === 'keep' ? undefined : { action: 'tag', reason: [ip, kind, action, source, list, entry].join(' ') } };`,
    );
    const expected = '203.0.113.7 new deny cache manual ip:203.0.113.7';
    assert.deepEqual(
      await haproxy.ask('scripted', [
        ['ip', LISTED],
        ['kind', str('new')],
      ]),
      {
        action: 'tag',
        source: 'script',
        reason: expected,
      },
    );
    const { ref, ...kept } = await haproxy.ask('scripted', [
      ['ip', LISTED],
      ['kind', str('keep')],
    ]);
    assert.match(String(ref), /^[0-9a-z]{12}$/);
    assert.deepEqual(kept, { action: 'deny', source: 'cache', list: 'manual', entry: 'ip:203.0.113.7' });
  });

  harmsNobody(FAULTS);

  it('that fails does not let a listed client in, under any policy', async (t) => {
    const { haproxy } = await setUp(t, `export default { scripted: () => { throw new Error('oops'); } };`);
    const { action, source, list } = await haproxy.ask('scripted', [['ip', LISTED]]);
    assert.deepEqual({ action, source, list }, { action: 'deny', source: 'cache', list: 'manual' });
  });

  it('gets a limited number of calls: the policy decides the rest at once, and a process full of endless calls is killed', async (t) => {
    const { haproxy, agent } = await setUp(
      t,
      `export default { scripted: ({ arguments: { kind } }) => kind === 'bad' ? new Promise(() => {}) : { action: 'deny', reason: 'by script' } };`,
    );
    const peers = [haproxy, ...(await Promise.all(Array.from({ length: 4 }, () => Asking.at(agent.path))))];
    t.after(() => {
      for (const peer of peers) peer.close();
    });
    const reasons = new Map<string, number>();
    const streams = peers.flatMap((peer) =>
      Array.from({ length: 220 }, () => ({
        peer,
        stream: peer.send('scripted', [
          ['ip', UNLISTED],
          ['kind', str('bad')],
        ]),
      })),
    );
    for (const { peer, stream } of streams) {
      const reason = String((await peer.answer(stream)).reason);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    assert.deepEqual(Object.fromEntries(reasons), { timeout: 1000, overload: 100 });
    await seen(agent, /has too many calls that never finish/);
    await decidesAgain(haproxy);
  });
});

describeUsual('SIGHUP', () => {
  it('puts a new script in place, without losing an answer', async (t) => {
    const { haproxy, agent, write } = await setUp(t, GOOD);
    write(GOOD.replace('by script', 'by a new script'));
    const sent: number[] = [];
    const ask = () =>
      sent.push(
        haproxy.send('scripted', [
          ['ip', UNLISTED],
          ['kind', str('x')],
        ]),
      );
    ask();
    process.kill(agent.pid, 'SIGHUP');
    await until(
      async () => {
        ask();
        return (await haproxy.answer(sent.at(-1) as number)).reason === 'by a new script, x'; // just sent
      },
      () => `the old script after ${sent.length} questions`,
      LIMIT_MS,
    );
    for (const stream of sent) assert.match(String((await haproxy.answer(stream)).reason), /^by (a new )?script, x$/);
  });

  keepsTheOld(WRONG);

  it('reaches every worker', async (t) => {
    const { agent, write } = await setUp(t, GOOD, { workers: 2 });
    write(GOOD.replace('by script', 'by a new script'));
    await seen(agent, /with all workers/);
    const loaded = () => agent.lines.filter((line) => line.includes('script loaded')).length;
    assert.equal(loaded(), 2);
    process.kill(agent.pid, 'SIGHUP');
    await until(
      () => loaded() === 4,
      () => `${loaded()} scripts loaded`,
      LIMIT_MS,
    );
  });

  it('changes nothing without a script', async (t) => {
    const { agent, haproxy } = await setUp(t, undefined);
    process.kill(agent.pid, 'SIGHUP');
    await seen(agent, /nothing to reload/);
    assert.equal((await haproxy.ask('check-request', [['ip', LISTED]])).action, 'deny');
  });
});

describeNewer('a script function with another fault', () => harmsNobody(MORE_FAULTS));

describeNewer('SIGHUP with another wrong script', () => keepsTheOld(MORE_WRONG));

function harmsNobody(faults: Readonly<Record<string, Fault>>): void {
  for (const [name, { code, reason, logged }] of Object.entries(faults))
    it(`that ${name} is decided by policy, logged, and does not affect other messages`, async (t) => {
      const { haproxy, agent } = await setUp(
        t,
        `export default { scripted: ({ arguments: { kind } }) => { if (kind === 'bad') { ${code} }\n return { action: 'deny', reason: 'by script' }; } };`,
      );
      const bad = haproxy.send('scripted', [
        ['ip', UNLISTED],
        ['kind', str('bad')],
      ]);
      // Of a thread that dies at once the answer may come before those that are sent after it.
      const others = Array.from({ length: OTHERS }, () => haproxy.send('check-request', [['ip', LISTED]]));
      for (const other of others) assert.equal((await haproxy.answer(other)).source, 'cache');
      if (reason === 'timeout')
        assert.deepEqual(haproxy.order.slice(-OTHERS), others, 'the bad call was answered before others');
      const told = await haproxy.answer(bad);
      assert.deepEqual({ ...told, reason: '' }, { action: 'allow', source: 'policy', reason: '' });
      assert.match(String(told.reason), new RegExp(reason));
      await seen(agent, logged);
      await decidesAgain(haproxy);
    });
}

function keepsTheOld(wrong: Wrong): void {
  for (const [name, text, logged] of wrong)
    it(`keeps the old script if the new one ${name}, also after a restart`, async (t) => {
      const { haproxy, agent, write } = await setUp(
        t,
        `export default { scripted: ({ arguments: { kind } }) => kind === 'exit' ? process.exit() : { action: 'deny', reason: 'the old one' } };`,
      );
      write(text);
      process.kill(agent.pid, 'SIGHUP');
      await seen(agent, logged);
      assert.equal((await haproxy.ask('scripted', [['ip', UNLISTED]])).reason, 'the old one');
      await haproxy.ask('scripted', [
        ['ip', UNLISTED],
        ['kind', str('exit')],
      ]);
      await seen(agent, /script process restarted/);
      assert.equal((await haproxy.ask('scripted', [['ip', UNLISTED]])).reason, 'the old one');
    });
}

/** An agent whose cache knows one listed and one unlisted address. */
async function setUp(t: TestContext, script: string | undefined, more: object = {}) {
  const folder = temporaryFolder(t);
  const write = (text: string) => writeFileSync(join(folder, 'script.mjs'), text);
  if (script !== undefined) write(script);
  const backend = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
    const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest;
    const verdicts = subjects.map((subject) => ({
      subject,
      entry: subject === 'ip:203.0.113.7' ? { subject, list: 'manual', action: 'deny' } : null,
    }));
    response.end(JSON.stringify({ verdicts, ttl: 60 }));
  }).listen(0, '127.0.0.1');
  t.after(() => backend.close());
  await once(backend, 'listening');
  const path = join(folder, 'agent.sock');
  const scripted = { event: 'on-backend-http-request', subjects: { ip: 'src' }, arguments: { kind: 'path' } };
  const config = {
    listen: [{ unix: path }],
    backend: { url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` }, // it listens
    deadlineMs: DEADLINE_MS,
    messages: { 'check-request': { subjects: { ip: 'src' } }, scripted },
    ...(script === undefined ? {} : { script: './script.mjs' }),
    ...more,
  };
  const agent = await startAgentProcess(config, folder);
  const haproxy = await Asking.at(path);
  t.after(async () => {
    haproxy.close();
    backend.closeAllConnections();
    await agent.kill('SIGTERM');
  });
  for (const address of [LISTED, UNLISTED]) await haproxy.ask('check-request', [['ip', address]]);
  return { haproxy, agent: { ...agent, path }, write };
}

async function seen({ lines }: Pick<AgentProcess, 'lines'>, pattern: RegExp): Promise<void> {
  await until(
    () => lines.some((line) => pattern.test(line)),
    () => `no line like ${pattern}:\n${lines.join('\n')}`,
    LIMIT_MS,
  );
}

/** Resolves once the script decides again. */
async function decidesAgain(haproxy: Asking): Promise<void> {
  const question: Parameters<Asking['ask']>[1] = [
    ['ip', UNLISTED],
    ['kind', str('good')],
  ];
  await until(
    async () => (await haproxy.ask('scripted', question)).reason === 'by script',
    () => 'the script does not decide again',
    LIMIT_MS,
  );
}
