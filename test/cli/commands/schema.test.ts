import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { configSchema } from '../../../config/json-schema.ts';
import { loadSettings } from '../../../config/load.ts';
import { configFile } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { satisfies } from '../../support/json-schema.ts';

const DOCS = new URL('../../../docs/', import.meta.url);
const FULL = `listen: ["tcp://[::1]:9000", { unix: /run/a.sock, mode: "0660", group: haproxy }]
backend: { urls: ["http://127.0.0.1:8787/", "http://127.0.0.1:8788"] }
policy: { timeout: open, default: closed }
cache: { file: /var/cache/haverdict/cache }
script: ./script.mjs
messages: { check-request: { subjects: { ip: src, host: "req.hdr(host)" }, policy: closed } }
haproxy: { version: "3.0", denyPages: { 451: { file: /etc/haproxy/451.html } } }
`;

describe('haverdict schema', () => {
  it('prints what docs/reference/config.schema.json is', async () => {
    const page = readFileSync(new URL('reference/config.schema.json', DOCS), 'utf8');
    const { status, stdout, stderr } = await runHaverdict('schema');
    assert.deepEqual([status, JSON.parse(stdout), stderr], [0, JSON.parse(page), '']);
  });

  const schema = JSON.parse(configSchema());
  const documented = globSync('**/*.md', { cwd: DOCS }).flatMap((page) =>
    [...readFileSync(new URL(page, DOCS), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
      ([, yaml = '']) => [page, yaml] as const,
    ),
  );
  const configurations = documented.filter(([, yaml]) => /^(listen|backend|policy|messages|lists|cache):/m.test(yaml));

  it('is satisfied by every configuration in the documentation', () => {
    assert.ok(configurations.length >= 5);
    for (const [page, yaml] of configurations) assert.ok(satisfies(parse(yaml), schema, schema), `${page}:\n${yaml}`);
  });

  it('refuses unknown keys and values of another sort, at any depth', () => {
    assert.ok(satisfies(parse(FULL), schema, schema));
    for (const wrong of ['deadlinMs: 1', 'deadlineMs: soon', 'cache: { maxEntry: 1 }', 'log: { level: loud }'])
      assert.ok(!satisfies(parse(wrong), schema, schema), wrong);
  });
});

describe('haverdict agent --print-config', () => {
  it('prints a file that comes to the same settings', async (t) => {
    const file = configFile(t, FULL);
    const { status, stdout } = await runHaverdict('agent', '--print-config', '-c', file);
    assert.equal(status, 0);
    assert.deepEqual(loadSettings(configFile(t, stdout), {}), loadSettings(file, {}));
  });

  it('prints a file that --check takes and that prints the same again', async (t) => {
    const written = `listen: [{ unix: /tmp/agent.sock, mode: 660, group: root }]
backend: { url: http://127.0.0.1:1, auth: iam, region: eu-central-1 }
admin: { listen: tcp://127.0.0.1:9101, socket: /tmp/admin.sock }
`;
    const printed = (await runHaverdict('agent', '--print-config', '-c', configFile(t, written))).stdout;
    const file = configFile(t, printed);
    const { status, stderr } = await runHaverdict('agent', '--check', '-c', file);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal((await runHaverdict('agent', '--print-config', '-c', file)).stdout, printed);
    assert.match(printed, /^ {2}listen: tcp:\/\/127\.0\.0\.1:9101$/m);
  });

  it('ends with 78 for a file that is wrong', async (t) => {
    const { status, stdout } = await runHaverdict('agent', '--print-config', '-c', configFile(t, 'deadlineMs: 0\n'));
    assert.deepEqual([status, stdout], [78, '']);
  });
});
