import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { redactedSubject } from '../../contract/redact.ts';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { Asking, type Told } from '../support/asking.ts';
import { ipv4, type Pair, type Value } from '../support/spop/naive-codec.ts';
import { startTableFunction, type TableFunction } from '../support/table-function.ts';

const FREE = ipv4(192, 0, 2, 1);
const LISTED = ipv4(192, 0, 2, 66);
const REFUSED: Told = { action: 'deny', source: 'policy', reason: 'bad_subject', status: 400 };

const SUBJECTS = { ip: 'src', host: 'req.fhdr(host)', path: 'path', method: 'method' };
const MESSAGES = {
  refuse: { group: 'a', condition: 'TRUE', subjects: SUBJECTS },
  pass: { group: 'b', condition: 'TRUE', subjects: SUBJECTS, oddPaths: 'pass' },
  cookies: {
    group: 'c',
    condition: 'TRUE',
    subjects: { ip: 'src', 'cookie.session': 'req.cook(Session)', 'cookie.own': 'req.cook(own)' },
  },
  required: { group: 'd', condition: 'TRUE', subjects: { ip: 'src', key: 'req.fhdr(x-api-key)' }, required: ['key'] },
  shadowed: { group: 'e', condition: 'TRUE', subjects: SUBJECTS, shadow: true },
  named: { group: 'f', condition: 'TRUE', subjects: SUBJECTS, policy: { default: 'closed', bad_subject: 'open' } },
};

for (const policy of ['open', 'closed'] as const)
  describe(`the agent as a process, under policy ${policy}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-odd-'));
    let table: TableFunction;
    let agent: AgentProcess;
    let haproxy: Asking;

    before(async () => {
      table = await startTableFunction();
      for (const subject of ['host:evil.example', 'path:/admin/*', 'cookie.session:stolen', 'ip:192.0.2.66'])
        table.type({ subject, action: 'deny', status: 403 });
      for (const subject of ['host:status.example', 'path:/health/*', 'path:/admin/public/*'])
        table.type({ subject, action: 'allow' });
      const path = join(folder, 'agent.sock');
      const config = {
        ...{ listen: [{ unix: path }], backend: { url: table.url }, deadlineMs: 10_000, policy, messages: MESSAGES },
        lists: ['manual'],
      };
      agent = await startAgentProcess(config, folder);
      haproxy = await Asking.at(path);
    });
    after(async () => {
      haproxy?.close();
      await agent?.kill('SIGTERM');
      await table?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const octets = (text: string): Value => ({ type: 'string', value: Buffer.from(text, 'latin1') });
    const request = (changes: Readonly<Record<string, Value | string | null>>): Pair[] =>
      Object.entries({ ip: FREE, host: 'shop.example', path: '/', method: 'GET', ...changes }).map(
        ([name, value]): Pair => [name, typeof value === 'string' ? octets(value) : (value ?? { type: 'null' })],
      );
    /** Without the name of the group before each variable, and without the id of the request. */
    const ask = async (message: string, args: Pair[]): Promise<Told> => {
      const told = await haproxy.ask(message, args);
      const plain = Object.entries(told).map(([name, value]) => [name.replace(/^[a-f]\./, ''), value] as const);
      return Object.fromEntries(plain.filter(([name]) => name !== 'ref'));
    };
    const asked = () =>
      table.bodies.flatMap((body) => (body === '' ? [] : (JSON.parse(body) as { subjects: string[] }).subjects));

    it('looks nothing up for what is no host, and refuses it', async () => {
      for (const host of [
        ...['shop.example:,status.example', 'shop.example:a.status.example', 'a@status.example', '%65vil.example'],
        ...['evil.example:abc', 'evil.example..', 'e\xadvil.example', 'evil.example/', '127.1', 'xn--a.example', ''],
      ])
        assert.deepEqual(await ask('refuse', request({ host, ip: FREE })), REFUSED, host);
      assert.deepEqual(await ask('refuse', request({ host: null })), REFUSED);
      assert.deepEqual(
        asked().filter((subject) => subject.startsWith('host:')),
        [],
      );
      for (const host of ['Evil.Example', 'evil.example.', 'evil.example:8080', 'EVIL.example.:'])
        assert.equal((await ask('refuse', request({ host }))).entry, 'host:evil.example', host);
    });

    it('refuses what a request must have and has not', async () => {
      for (const kind of ['ip', 'host', 'path', 'method'])
        for (const message of ['refuse', 'pass'])
          assert.deepEqual(await ask(message, request({ [kind]: null })), REFUSED, kind);
      assert.deepEqual(await ask('required', [['ip', FREE]]), REFUSED);
      assert.equal(
        (
          await ask('required', [
            ['ip', FREE],
            ['key', octets('k')],
          ])
        ).action,
        'allow',
      );
      for (const address of ['unknown', '[192.0.2.66]', '192.0.2.66,', '192.0.2.66, 192.0.2.1'])
        assert.deepEqual(await ask('refuse', request({ ip: address })), REFUSED, address);
    });

    it('refuses an odd path, or lets it pass without an allow for it', async () => {
      for (const path of [
        '/health/..%2fadmin',
        '//admin/',
        '/%61dmin/',
        '/x/../admin/',
        '/admin/;x',
        '/admin/%00',
        '*',
      ]) {
        assert.deepEqual(await ask('refuse', request({ path })), REFUSED, path);
        assert.equal((await ask('refuse', request({ path, ip: LISTED }))).entry, 'ip:192.0.2.66', path);
      }
      const passed = async (path: string, ip: Value = FREE) => {
        const { action, entry } = await ask('pass', request({ path, ip }));
        return [action, entry];
      };
      assert.deepEqual(await passed('/health/x'), ['allow', 'path:/health/*']);
      assert.deepEqual(await passed('/health/x', LISTED), ['allow', 'path:/health/*']);
      assert.deepEqual(await passed('/health/..%2fadmin'), ['allow', undefined]);
      assert.deepEqual(await passed('/health/..%2fadmin', LISTED), ['deny', 'ip:192.0.2.66']);
      assert.deepEqual(await passed('/admin/public/x'), ['allow', 'path:/admin/public/*']);
      assert.deepEqual(await passed('/admin/public/..%2fsecret'), ['deny', 'path:/admin/*']);
      assert.deepEqual(await passed('//admin/x'), ['deny', 'path:/admin/*']);
      for (let twice = 0; twice < 2; twice++)
        assert.deepEqual(await passed('/admin/public/a%2fb'), ['deny', 'path:/admin/*'], 'from the cache too');
    });

    it('finds a listed cookie wherever a server could read it', async () => {
      for (const header of [
        ...[
          'session=stolen',
          'Session=stolen; session=x',
          'session=x; Session=stolen',
          'session="stolen"',
          'a=b;session=st%6flen',
        ],
        ...['x=1,session=stolen', 'session=stolen,x', 'session=1; session=2; session=3; session=%73tolen'],
      ])
        assert.equal(
          (
            await ask('cookies', [
              ['ip', FREE],
              ['cookie', octets(header)],
            ])
          ).entry,
          redactedSubject('cookie.session:stolen'),
          header,
        );
      for (const header of [
        'x="a; session=stolen"',
        'session="st\\157len"',
        'session=1; session=2; session=3; session=4; session=5',
      ])
        assert.deepEqual(
          await ask('cookies', [
            ['ip', FREE],
            ['cookie', octets(header)],
          ]),
          REFUSED,
          header,
        );
      for (const header of ['a=b', 'session=', `session=${'x'.repeat(3000)}`, 'session={"a":1}', 'xsession=stolen'])
        assert.equal(
          (
            await ask('cookies', [
              ['ip', FREE],
              ['cookie', octets(header)],
            ])
          ).action,
          'allow',
          header,
        );
    });

    it('only counts what a message in shadow mode would refuse, and lets pass what the policy names', async () => {
      const { status: _status, ...rest } = REFUSED;
      assert.deepEqual(await ask('shadowed', request({ host: null })), { ...rest, action: 'log', shadow: 'deny' });
      assert.deepEqual(await ask('named', request({ host: null })), { ...rest, action: 'allow' });
    });
  });
