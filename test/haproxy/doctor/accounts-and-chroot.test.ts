import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findingsIn, generated } from './good-files.ts';

const SOCKET = { type: 'unix', path: '/jail/run/agent.sock', mode: 0o660 } as const;
const ACCOUNTS = { '/etc/passwd': 'proxy:x:80:80::/:/bin/false\n', '/etc/group': 'proxy:x:80:\nother:x:81:\n' };

function found(global: string, socket: object, edit = (config: string) => config) {
  const files = generated('open', { listen: [{ ...SOCKET, ...socket }], haproxy: { chroot: '/jail' } });
  const config = edit(files.config.replace('global\n', `global\n    chroot /jail\n${global}`));
  return findingsIn({ ...files, config }, ACCOUNTS).map(({ id, write }) => ({ id, write }));
}

describe('the account of HAProxy', () => {
  const globals = {
    names: '    user proxy\n    group proxy\n',
    numbers: '    uid 80\n    gid 80\n',
    both: '    uid 80\n    group proxy\n',
  };
  for (const [how, global] of Object.entries(globals)) {
    for (const socket of [{ group: 'proxy' }, { group: '80' }, { owner: 'proxy' }, { owner: '80' }, { mode: 0o666 }])
      it(`by ${how} may write to ${JSON.stringify(socket)}`, () => assert.deepEqual(found(global, socket), []));
    for (const socket of [{}, { group: 'other' }, { group: '81' }, { owner: '81' }, { group: '80', mode: 0o600 }])
      it(`by ${how} may not write to ${JSON.stringify(socket)}`, () =>
        assert.deepEqual(
          found(global, socket).map(({ id }) => id),
          ['socket-rights'],
        ));
  }

  it('is root', () => assert.deepEqual(found('    uid 0\n    gid 0\n', {}), []));
});

describe('the path under a chroot', () => {
  const server = 'server agent1 unix@';
  const at = (path: string) => (config: string) => config.replace(`${server}/run/agent.sock`, `${server}${path}`);

  it('is right', () => assert.deepEqual(found('', {}), []));

  for (const { path, id, part } of [
    { path: '/run/elsewhere.sock', id: 'server-address-differs', part: `${server}/run/agent.sock check` },
    { path: '/jail/run/elsewhere.sock', id: 'server-address-differs', part: `${server}/run/agent.sock check` },
    { path: '/jail/run/agent.sock', id: 'chroot-hides-socket', part: `${server}/run/agent.sock check` },
  ])
    it(`is told for ${path}`, () => {
      const [finding, ...others] = found('', {}, at(path));
      assert.deepEqual([finding?.id, others], [id, []]);
      assert.ok(finding?.write.startsWith(part), finding?.write);
      assert.match(finding?.write ?? '', /haproxy\.chroot/);
      // who obeys has no finding left
      assert.deepEqual(found('', {}, at('/run/agent.sock')), []);
    });
});
