import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadSettings } from '../config/load.ts';
import { PROGRAM } from '../dev/program-path.ts';
import { quoted } from '../dev/quoted.ts';
import { temporaryFolder } from './support/config-file.ts';
import { describeNewer } from './support/scope.ts';

const ROOT = join(import.meta.dirname, '..');
const GUIDE = readFileSync(join(ROOT, 'docs/guides/getting-started.md'), 'utf8');
const AGENT_CONFIG = `backend: { url: "https://abcdefghij.lambda-url.eu-west-1.on.aws/", auth: iam, region: eu-west-1, maxCallsPerSecond: 100 }
updates: { mode: mirror }`;
const HAPROXY = `defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend web
    bind 127.0.0.1:8080
    http-request set-header x-a b
    default_backend app
frontend api
    bind 127.0.0.1:8081
    default_backend app
backend app
    server a 127.0.0.1:1
`;

/** What is pasted under a heading of the part about AWS. */
function pasted(heading: string): string {
  const [, part = ''] = GUIDE.split('\n## On a HAProxy host with AWS\n');
  const [, section = ''] = `\n### before\n${part}`.split(`\n### ${heading}\n`);
  const blocks = (section.split(/\n##/)[0] ?? '').matchAll(/```sh\n([\s\S]*?)```/g);
  const text = [...blocks].map(([, block]) => block).join('');
  assert.notEqual(text, '', heading);
  return text;
}

// Pasted as printed; what is not on this machine is played, and says what it was called with.
describeNewer('the first hour on a host with AWS', () => {
  it('needs no edit of what is pasted', (t) => {
    const folder = temporaryFolder(t);
    const [bin, checkout, host] = ['bin', 'checkout', 'host'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const one of [bin, join(checkout, 'packages'), join(host, 'haproxy')]) mkdirSync(one, { recursive: true });
    copyFileSync(join(ROOT, 'deploy.example.yaml'), join(checkout, 'deploy.example.yaml'));
    writeFileSync(join(checkout, 'packages/haverdict_1.0.0_amd64.deb'), '');
    copyFileSync(join(ROOT, 'packaging/debian/haverdict.yaml'), join(host, 'haverdict.yaml'));
    writeFileSync(join(host, 'haproxy/haproxy.cfg'), HAPROXY);
    const program = (name: string, text: string) =>
      writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${quoted(join(folder, 'calls'))}\n${text}\n`, {
        mode: 0o755,
      });
    program('npm', '');
    program('scp', '');
    program('systemctl', '');
    program('ssh', `for last; do :; done; case $last in cat*) cd ${quoted(host)}; sh -c "$last";; esac`);
    program('sudo', 'exec "$@"');
    program('haverdict', `exec ${quoted(process.execPath)} ${quoted(PROGRAM)} "$@"`);
    program(
      'aws',
      `case $* in *Account*) echo 111122223333;; *AgentPolicyArn*) echo arn:agent;; *AgentConfig*) echo ${quoted(AGENT_CONFIG)};; esac`,
    );
    const paste = (cwd: string, text: string) => {
      const env = {
        ...process.env,
        PATH: `${bin}:${process.env.PATH}:/usr/sbin`,
        HAVERDICT_CONFIG: join(host, 'haverdict.yaml'),
      };
      const { status, stdout, stderr } = spawnSync('bash', ['-uc', text], { cwd, env, encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, ''], `${text}\n${stdout}${stderr}`);
      return stdout;
    };
    const workstation = [
      'before',
      '1 Deploy, on the workstation',
      '2 Install on the host',
      '5 Block, on the workstation',
    ];
    const own = workstation.map(pasted).join('').replace('AWS_REGION=eu-central-1', 'AWS_REGION=eu-west-1');
    paste(checkout, own);
    assert.match(readFileSync(join(checkout, 'deploy.yaml'), 'utf8'), /^region: eu-west-1$/m);
    const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
    for (const call of [
      'npm exec -- cdk bootstrap aws://111122223333/eu-west-1',
      'npm run deploy',
      'aws iam attach-role-policy --role-name haproxy-host --policy-arn arn:agent',
      'scp packages/haverdict_1.0.0_amd64.deb haproxy.example.org:',
      'npm run --silent haverdict -- block 203.0.113.7 --for 1h --reason test',
    ])
      assert.ok(calls.includes(call), `${call} in\n${calls.join('\n')}`);

    const here = (text: string) =>
      text
        .replaceAll('/etc/haverdict', host)
        .replaceAll('/etc/haproxy', join(host, 'haproxy'))
        .replace(/^.* doctor --live .*$/m, ''); // no agent runs here
    const file = join(host, 'haverdict.yaml');
    const withSocket = () =>
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replaceAll(/(?:\/var\/lib)?(?:\/haproxy)?(?:\/run)?\/haverdict(?=\/)/g, host),
      );
    withSocket();
    assert.match(paste(host, here(pasted('3 Run the agent, on the host'))), /haverdict\.yaml: ok\n/);
    const once = readFileSync(file, 'utf8');
    paste(host, here(pasted('3 Run the agent, on the host')));
    assert.equal(readFileSync(file, 'utf8'), once, 'pasted twice');
    const { backend, updates, haproxy, admin } = loadSettings(file, {});
    assert.equal(backend.targets[0]?.url, 'https://abcdefghij.lambda-url.eu-west-1.on.aws');
    assert.equal(updates.mode, 'mirror');
    assert.equal(admin.socket, join(host, 'admin.sock'));
    assert.match(readFileSync(join(folder, 'calls'), 'utf8'), /^systemctl set-property haverdict MemoryMax=\d+M$/m);
    assert.match(
      spawnSync('haproxy', ['-v'], { encoding: 'utf8', env: { PATH: '/usr/sbin' } }).stdout,
      new RegExp(`version ${haproxy.version}\\.`),
    );
    assert.match(paste(host, here(pasted('4 Wire HAProxy, on the host'))), /^no finding in 1 file$/m);
    const wired = readFileSync(join(host, 'haproxy/haproxy.cfg'), 'utf8');
    assert.equal(wired.match(/filter spoe engine haverdict/g)?.length, 2);
    assert.equal(
      wired.replace(/^[ \t]*# haverdict begin (?:.*\n)*?.*# haverdict end.*\n/gm, '').trim(),
      HAPROXY.trim(),
    );
    assert.ok(
      readFileSync(join(folder, 'calls'), 'utf8').endsWith('sudo systemctl reload haproxy\nsystemctl reload haproxy\n'),
    );
  });
});
