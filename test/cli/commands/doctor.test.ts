import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadSettings } from '../../../config/load.ts';
import { startAgentProcess } from '../../../dev/agent-process.ts';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { frontendConfig } from '../../../dev/haproxy-config.ts';
import { PROGRAM } from '../../../dev/program-path.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import { brokenBackend } from '../../support/broken-backend.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { type Run, runHaverdict } from '../../support/haverdict.ts';
import { startScriptedAgent } from '../../support/scripted-agent.ts';

describe('haverdict doctor', () => {
  it('finds nothing in what wiring generates, and ends with 0', async (t) => {
    const { config, haproxy } = installed(t);
    assert.deepEqual(await runHaverdict('doctor', '--haproxy', haproxy, '-c', config), {
      status: 0,
      stdout: 'no finding in 1 file\n',
      stderr: '',
    });
  });

  it('tells where, what, why and what to write, and ends with 1', async (t) => {
    const { config, haproxy, line } = installed(t, (text) => text.replace(/ check inter.*/, ''));
    const { status, stdout, stderr } = await runHaverdict('doctor', '--haproxy', haproxy, '-c', config);
    assert.equal(status, 1);
    assert.equal(
      stdout,
      `error    server-unchecked
    where  ${haproxy}:${line('server agent1')}
    what   server agent1 is not checked
    why    while the agent is gone, each request waits for the whole timeout processing; with checks, the server is DOWN and requests do not wait
    write  server agent1 unix@/run/haverdict/agent.sock check inter 500ms

`,
    );
    assert.equal(stderr, 'haverdict: 1 error in the configuration of HAProxy\n');
  });

  it('ends with 0 where there are warnings only', async (t) => {
    const { config, haproxy } = installed(t, (text) => text.replace('    option spop-check\n', ''));
    const { status, stdout } = await runHaverdict('doctor', '--haproxy', haproxy, '-c', config);
    assert.equal(status, 0);
    assert.match(stdout, /^warning {2}spop-check-missing\n/);
  });

  it('prints an object with --json', async (t) => {
    const { config, haproxy, line } = installed(t, (text) => text.replace(/ check inter.*/, ''));
    const { status, stdout } = await runHaverdict('doctor', '--haproxy', haproxy, '-c', config, '--json');
    const { findings } = JSON.parse(stdout);
    assert.equal(status, 1);
    assert.deepEqual(Object.keys(findings[0]), ['id', 'severity', 'place', 'what', 'why', 'write']);
    assert.deepEqual(findings[0].place, { file: haproxy, line: line('server agent1') });
  });

  it('reads several files and folders in their order, as HAProxy does', async (t) => {
    const { folder, config, haproxy, text } = installed(t);
    const [first = '', second = ''] = text.split(/(?=^backend haverdict-agents)/m);
    mkdirSync(join(folder, 'conf.d'));
    writeFileSync(join(folder, 'conf.d', '10-agents.cfg'), second);
    writeFileSync(join(folder, 'conf.d', '20-notes.txt'), 'frontend nobody reads');
    writeFileSync(haproxy, first);
    const both = await runHaverdict('doctor', '--haproxy', haproxy, join(folder, 'conf.d'), '-c', config);
    assert.deepEqual([both.status, both.stdout], [0, 'no finding in 2 files\n']);
    const one = await runHaverdict('doctor', '--haproxy', haproxy, '-c', config);
    assert.match(one.stdout, /^error {4}agents-backend-unknown\n/);
  });

  it('is for the HAProxy version of the command line before that of the file', async (t) => {
    const { config, haproxy } = installed(t, (text) => text.replace('mode tcp', 'mode spop'));
    assert.match(
      (await runHaverdict('doctor', '--haproxy', haproxy, '-c', config)).stdout,
      /^error {4}spop-mode-unknown\n/,
    );
    assert.equal(
      (await runHaverdict('doctor', '--haproxy', haproxy, '-c', config, '--haproxy-version', '3.2')).status,
      0,
    );
  });

  it('refuses a wrong command line with 2, a wrong configuration with 78, and a file it cannot read with 1', async (t) => {
    const { folder, config, haproxy } = installed(t);
    const status = async (...args: string[]) => (await runHaverdict('doctor', ...args)).status;
    assert.equal(await status('-c', config), 2);
    assert.equal(await status('--haproxy', haproxy, '-c', config, '--address', 'tcp://127.0.0.1:1'), 2);
    assert.equal(await status('--haproxy', haproxy, '-c', config, '--live', '--address', '127.0.0.1'), 2);
    writeFileSync(join(folder, 'wrong.yaml'), 'bakend: {}\n');
    assert.equal(await status('--haproxy', haproxy, '-c', join(folder, 'wrong.yaml')), 78);
    assert.equal(await status('--haproxy', join(folder, 'none.cfg'), '-c', config), 1);
  });

  it('asks the running agent with --live, and tells how long it took', async (t) => {
    const { config, haproxy } = installed(t);
    const value = (text: string) => ({ type: 'string', value: text }) as const;
    const { port, stop } = await startScriptedAgent(t, () => [
      { type: 'set-var', scope: 'txn', name: 'action', value: value('allow') },
      { type: 'set-var', scope: 'txn', name: 'source', value: value('backend') },
    ]);
    const live = ['doctor', '--haproxy', haproxy, '-c', config, '--live', '--address', `tcp://127.0.0.1:${port}`];
    const answered = await run(...live);
    assert.equal(answered.status, 0);
    assert.match(answered.stdout, /^ok +tcp:\/\/127\.0\.0\.1:\d+ +healthcheck +[\d.]+ ms +answers$/m);
    assert.match(answered.stdout, /^ok +tcp:\/\/127\.0\.0\.1:\d+ +check-request +[\d.]+ ms +allow from backend$/m);
    stop();
    const silent = await run(...live, '--json');
    assert.deepEqual(
      [silent.status, silent.stderr],
      [1, "haverdict: 1 of the agent's answers missing, wrong or not from the function\n"],
    );
    assert.deepEqual(
      JSON.parse(silent.stdout).live.map(({ ok }: { ok: boolean }) => ok),
      [false],
    );
  });
});

describe('haverdict doctor --live, of a real agent', () => {
  const kinds = ['ip', 'host', 'path', 'method', 'country', 'asn', 'ua', 'ja4', 'key', 'header.x-a', 'cookie.b'];
  const messages = {
    ...Object.fromEntries(
      kinds.map((kind, index) => [`one-${kind}`, { group: `g${index}`, subjects: { [kind]: 'src' } }]),
    ),
    every: { subjects: Object.fromEntries(kinds.map((kind) => [kind, 'src'])) },
  };

  async function live(t: TestContext, backend: object) {
    const { folder, haproxy } = installed(t);
    const config = {
      listen: ['tcp://127.0.0.1:0'],
      backend,
      messages,
      deadlineMs: 10_000,
      cache: { policyTtlSeconds: 0 },
    };
    const agent = await startAgentProcess(config, folder);
    t.after(() => agent.kill('SIGKILL'));
    const { addresses } = agent.lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'agent is listening');
    const file = join(folder, 'haverdict.yaml');
    const { status, stdout } = await run(
      'doctor',
      '--haproxy',
      haproxy,
      '-c',
      file,
      '--live',
      '--address',
      addresses[0],
      '--json',
    );
    const answers: { step: string; ok: boolean; what: string }[] = JSON.parse(stdout).live;
    return { status, answers: answers.filter(({ step }) => step !== 'healthcheck') };
  }

  it('has every kind looked up by the function', { timeout: 60_000 }, async (t) => {
    const { answers } = await live(t, { url: await brokenBackend(t, () => undefined) });
    assert.equal(answers.length, kinds.length + 1);
    assert.deepEqual(
      answers.filter(({ ok, what }) => !ok || !/^allow from (backend|cache)/.test(what)),
      [],
    );
  });

  it('ends with 1 where the policy decides, and says why', { timeout: 60_000 }, async (t) => {
    const { status, answers } = await live(t, { url: 'http://127.0.0.1:1' });
    assert.equal(status, 1);
    for (const { ok, what } of answers) {
      assert.equal(ok, false);
      assert.match(what, /^allow from policy \((backend_error|breaker_open)\): .*check-backend -c FILE/);
    }
  });
});

/** A configuration, and the haproxy.cfg and SPOE file that are generated from it, changed. */
function installed(t: TestContext, change = (text: string) => text) {
  const folder = temporaryFolder(t);
  const config = join(folder, 'agent.yaml');
  writeFileSync(config, 'backend: { url: http://127.0.0.1:8787 }\n');
  const settings = loadSettings(config, {});
  const text = change(frontendConfig({ settings, binds: [':8080'] }));
  const haproxy = join(folder, 'haproxy.cfg');
  writeFileSync(haproxy, text);
  writeFileSync(join(folder, SPOE_FILE), spoeFile(settings));
  const line = (fragment: string) => text.split('\n').findIndex((line) => line.includes(fragment)) + 1;
  return { folder, config, haproxy, text, line };
}

/** Without blocking, as what it asks runs in this process. */
function run(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) =>
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}
