import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeNewer } from '../support/scope.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Each script with the options that take a number. */
const NUMBERS = {
  'dev/demo/main.ts': ['--port'],
  'dev/stack/main.ts': ['--table-port', '--function-port'],
} as const;

describeNewer('what is typed for a script of the checkout', () => {
  const scripts = Object.entries(NUMBERS);
  for (const [script, options] of scripts)
    for (const option of options)
      it(`is one line and exit code 2 if it is wrong: ${script} ${option}`, () => {
        for (const value of ['abc', '99999']) {
          const { status, stderr } = spawnSync(process.execPath, [join(ROOT, script), option, value], {
            encoding: 'utf8',
          });
          assert.equal(status, 2);
          assert.match(
            stderr,
            new RegExp(`^[a-z ]+: ${option} "${value}" is not a whole number from \\d+ to 65535\\n$`),
          );
        }
      });

  for (const [script, options] of scripts)
    for (const option of options)
      for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::'])
        it(`is one line and exit code 1 if somebody listens on the port, at ${host}: ${script} ${option}`, async (t) => {
          const server = createServer().listen(0, host);
          t.after(() => server.close());
          await once(server, 'listening');
          const { port } = server.address() as AddressInfo;
          const others = options.filter((other) => other !== option).flatMap((other) => [other, '0']);
          const { status, stdout, stderr } = spawnSync(
            process.execPath,
            [join(ROOT, script), ...others, option, String(port)],
            {
              encoding: 'utf8',
            },
          );
          assert.deepEqual([status, stdout], [1, '']);
          assert.match(
            stderr,
            new RegExp(
              `^[a-z ]+: port ${port} is used by process ${process.pid} \\(.*\\): choose another with ${option}, or .*\n$`,
            ),
          );
        });

  it('is one line if two ports are the same', () => {
    const args = [join(ROOT, 'dev/stack/main.ts'), '--table-port', '8787'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const said = 'local cloud: --table-port and --function-port are both 8787: choose two, or 0 for any free one\n';
    assert.deepEqual([status, stderr], [2, said]);
  });

  it('is one line if there is no such option', () => {
    const [script = ''] = Object.keys(NUMBERS);
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, script), '--twice'], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [2, "haverdict demo: Unknown option '--twice': --help lists the options\n"]);
  });
});
