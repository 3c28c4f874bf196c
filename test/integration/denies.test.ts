import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { EntryHits } from '../../agent/state/state.ts';
import type { CheckRequest } from '../../contract/check.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { freePort } from '../../dev/free-port.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { Asking } from '../support/asking.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { readMetrics } from '../support/prometheus-text.ts';
import { ipv4, str } from '../support/spop/naive-codec.ts';
import { until } from '../support/until.ts';

const STOPS = ['deny', 'tarpit', 'drop'];

/** What a denied request is shown as: what matched, and who asked. */
interface Shown {
  readonly subject: string;
  readonly client?: string;
}

for (const workers of [1, 2])
  describe(`a denied client of an agent with ${workers === 1 ? 'one process' : 'two workers'}`, () => {
    it('is named beside the entry that matched: in the log, the state, on the page and in top', async (t) => {
      const messages = {
        'check-request': { subjects: { ip: 'src', path: 'path' } },
        'check-key': { event: 'on-backend-http-request', subjects: { key: 'req.hdr(x-api-key)' } },
      };
      const { agent, haproxy, get, top } = await running(t, { messages, ipv6Prefix: 64, workers });
      const path = (text: string) => ['path', str(text)] as const;
      await haproxy.ask('check-request', [['ip', ipv4(203, 0, 113, 7)], path('/')]);
      await haproxy.ask('check-request', [['ip', ipv4(192, 0, 2, 9)], path('/admin/login')]);
      await haproxy.ask('check-request', [['ip', str('2001:db8:0:7::1234')], path('/')]);
      const { entry } = await haproxy.ask('check-key', [['key', str('secret')]]);
      const expected = [
        ['ip:203.0.113.0/24', 'ip:203.0.113.7'],
        ['path:/admin/*', 'ip:192.0.2.9'],
        ['ip:2001:db8::/32', 'ip:2001:db8:0:7::/64'],
        [entry, undefined],
      ];
      const of = ({ subject, client }: Shown) => [subject, client];
      const logged = () => agent.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'denied');
      await until(
        () => logged().length === expected.length,
        () => agent.lines.join('\n'),
      );
      assert.deepEqual(logged().map(of), expected);
      // A snapshot serves all for a second.
      const state = async () => JSON.parse(await get('/state.json'));
      await until(
        async () => (await state()).recent.length === expected.length,
        () => 'the state does not have what was denied',
      );
      assert.deepEqual((await state()).recent.map(of).reverse(), expected);
      assert.deepEqual((await state()).top.map(of).toSorted(), expected.toSorted());
      const page = (await get('/')).replaceAll('<wbr>', ''); // where an address may break
      const shown = (section: string) =>
        new RegExp(`<section id="${section}"(.*?)</section>`, 's').exec(page)?.[1] ?? '';
      for (const text of expected.flat()) assert.ok(shown('recent').includes(String(text ?? '')), `${text} in recent`);
      // An entry may have denied more clients than one.
      for (const [subject = ''] of expected) assert.ok(shown('top').includes(String(subject)), `${subject} in top`);
      const { isComplete, entries } = JSON.parse(await get('/hits.json'));
      const counted = entries.map(({ subject, list, count }: EntryHits) => [subject, list, count]);
      assert.deepEqual(counted.toSorted(), expected.map(([subject]) => [subject, 'manual', 1]).toSorted());
      assert.ok(isComplete);
      const overview = JSON.parse(await top());
      assert.deepEqual(overview.recent.map(of).reverse(), expected);
    });
  });

describe('the series of the metrics', () => {
  it('are all there before the first deny, and no text of an entry adds one', async (t) => {
    const { haproxy, get } = await running(t, { lists: ['manual', 'feed'] });
    const series = async () => readMetrics(await get('/metrics')).series;
    const names = async () => (await series()).map(({ name, labels }) => JSON.stringify([name, labels])).toSorted();
    const before = await names();
    // What a client or a peer writes adds none either.
    for (let nth = 0; nth < 20; nth++) {
      await haproxy.ask('check-request', [['ip', str(`nonsense ${nth}`)]]);
      await haproxy.ask(`message-${nth}`, [['ip', ipv4(10, 9, 9, nth)]]);
    }
    for (let ticket = 0; ticket < 300; ticket++)
      for (let time = 0; time < 2; time++)
        await haproxy.ask('check-request', [['ip', ipv4(10, ticket >> 8, ticket & 0xff, 7)]]);
    const denied = async () =>
      (await series())
        .filter(({ name, labels }) => name === 'haverdict_decisions_total' && STOPS.includes(labels.action ?? ''))
        .filter(({ labels }) => labels.source !== 'policy')
        .reduce((sum, { value }) => sum + value, 0);
    await until(
      async () => (await denied()) === 600,
      () => 'the metrics do not have what was denied',
    );
    const after = await names();
    assert.deepEqual(
      after.filter((name) => !before.includes(name)),
      [],
    );
    assert.deepEqual(after, before);
  });
});

/** An agent whose backend lists the network of every address, each with another reason and action. */
async function running(t: TestContext, settings: object) {
  const folder = temporaryFolder(t);
  let tickets = 0;
  const backend = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
    const { subjects } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as CheckRequest; // of our own agent
    const verdicts = subjects.map((subject) => {
      const ticket = tickets++;
      const entry = {
        list: 'manual',
        action: STOPS[ticket % 3],
        reason: `ticket ${ticket}`,
        subject: matching(subject),
      };
      return { subject, entry: entry.subject === undefined ? null : entry };
    });
    response.end(JSON.stringify({ verdicts, ttl: 60 }));
  }).listen(0, '127.0.0.1');
  t.after(() => void backend.close());
  await once(backend, 'listening');
  const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`; // it listens
  const path = join(folder, 'agent.sock');
  const socket = join(folder, 'admin.sock');
  const port = await freePort();
  const admin = { listen: `tcp://127.0.0.1:${port}`, socket };
  const agent = await startAgentProcess(
    { listen: [{ unix: path }], backend: { url, timeoutMs: 10_000 }, deadlineMs: 10_000, admin, ...settings },
    folder,
  );
  t.after(() => agent.kill('SIGKILL'));
  await until(
    () => agent.lines.some((line) => line.includes('admin HTTP server is listening')),
    () => agent.lines.join('\n'),
  );
  const haproxy = await Asking.at(path);
  t.after(() => haproxy.close());
  const get = async (target: string) => (await fetch(`http://127.0.0.1:${port}${target}`)).text();
  const top = async () => {
    const args = [PROGRAM, 'top', '--once', '--json', '--interval', '0.1', '--socket', socket];
    return (await promisify(execFile)(process.execPath, args)).stdout;
  };
  return { agent, haproxy, get, top };
}

/** The entry under which a subject stands, if it does. */
function matching(subject: string): string | undefined {
  if (subject.startsWith('path:')) return subject.startsWith('path:/admin/') ? 'path:/admin/*' : undefined;
  if (subject.startsWith('ip:192.')) return undefined;
  if (subject.startsWith('ip:2001:')) return 'ip:2001:db8::/32';
  return subject.startsWith('ip:') ? subject.replace(/\d+$/, '0/24') : subject;
}
