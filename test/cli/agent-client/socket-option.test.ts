import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { describe, it } from 'node:test';
import { socketPath } from '../../../cli/agent-client/socket-option.ts';
import { CliError, EXIT } from '../../../cli/exit/cli-error.ts';
import { everyCommand } from '../../../cli/program.ts';
import { configFile } from '../../support/config-file.ts';

const SOCKET = 'admin: { socket: /run/a.sock }\n';
const FROM_ENVIRONMENT = { HAVERDICT_ADMIN_SOCKET: '/run/b.sock' };

describe('the admin socket of a command', () => {
  it('is what was typed, else what the agent takes: the variable, the file, and without a file that of the package', async (t) => {
    const config = configFile(t, SOCKET);
    assert.equal(await socketPath({ socket: '/run/c.sock', config: '/nonexistent' }, FROM_ENVIRONMENT), '/run/c.sock');
    assert.equal(await socketPath({ config }, FROM_ENVIRONMENT), '/run/b.sock');
    assert.equal(await socketPath({ config }, {}), '/run/a.sock');
    assert.equal(await socketPath({}, FROM_ENVIRONMENT), '/run/b.sock');
    assert.equal(await socketPath({}, {}), '/run/haverdict/admin.sock');
  });

  it('is found in a file whose other sections the agent would refuse', async (t) =>
    assert.equal(
      await socketPath({ config: configFile(t, `${SOCKET}cache: nonsense\nbackend: 7\n`) }, {}),
      '/run/a.sock',
    ));

  const WRONG: readonly (readonly [string, string, number, RegExp])[] = [
    ['has none', 'backend: { url: http://127.0.0.1:1 }\n', EXIT.usage, /^\S+ has no admin\.socket, .*--socket$/],
    ['is no YAML', 'admin: {', EXIT.config, /^\S+:\d+:\d+: not valid YAML: .*$/],
    ['has a wrong one', 'admin: { socket: a.sock }\n', EXIT.config, /\S+:1:\d+: admin\.socket: /],
  ];
  for (const [what, yaml, exitCode, message] of WRONG)
    it(`is asked for where the file ${what}`, (t) =>
      assert.rejects(socketPath({ config: configFile(t, yaml) }, {}), { exitCode, message }));

  it('is asked for in one line where the file cannot be read', async (t) => {
    const unreadable = configFile(t, SOCKET);
    chmodSync(unreadable, 0);
    const isRoot = process.getuid?.() === 0; // who reads everything
    for (const config of ['/nonexistent/haverdict.yaml', '/', ...(isRoot ? [] : [unreadable])])
      await assert.rejects(socketPath({ config }, {}), (error) => {
        assert.ok(error instanceof CliError);
        assert.equal(error.exitCode, EXIT.config);
        assert.match(
          error.message,
          /^\/.*: (no such file|is a directory, not a file|this user may not read the file)$/,
        );
        return true;
      });
  });

  it('is the same for all that talk to the agent', async () => {
    const commands = (await everyCommand()).filter(({ options }) => options.some(({ long }) => long === '--socket'));
    assert.deepEqual(commands.map((command) => command.name()).sort(), [
      'denied',
      'explain',
      'flush',
      'log-level',
      'prove',
      'reload',
      'top',
    ]);
    const described = commands.flatMap(({ options }) => options.filter(({ long }) => long === '--socket'));
    assert.equal(new Set(described.map(({ description }) => description)).size, 1);
  });
});
