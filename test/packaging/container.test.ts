import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it, type TestContext } from 'node:test';
import { type Container, ContainerImage } from '../support/container-image.ts';
import { describeNewer, isRoot } from '../support/scope.ts';
import { untilListening } from '../support/until-listening.ts';

const ROOT = join(import.meta.dirname, '../..');
const GUIDE = readFileSync(join(ROOT, 'docs/guides/install.md'), 'utf8');

/** What the guide has its readers give: `podman run … -e NAME=VALUE`. */
function documented(): Record<string, string> {
  const [command = ''] = /^podman run[\s\S]*?haverdict$/m.exec(GUIDE) ?? [];
  return Object.fromEntries([...command.matchAll(/-e (\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}

if (isRoot)
  describeNewer('the container', () => {
    it('starts with what the image has and the guide says, answers, and ends', { timeout: 120_000 }, async (t) => {
      const image = new ContainerImage(join(ROOT, 'packaging/Containerfile'));
      t.after(() => image.remove());
      const { container, lines } = start(t, image);
      await untilSaid(container, lines, 'agent is listening');
      await untilSaid(container, lines, 'admin HTTP server is listening');
      await untilListening(join(image.root, 'run/haverdict/admin.sock'), () => lines.join('\n'));
      assert.equal(container.process.exitCode, null, lines.join('\n'));
      assert.equal(container.userId, 1000);
      assert.ok(container.isWell(), 'HEALTHCHECK fails');
      const check = container.exec(['haverdict', 'agent', '--check', '-c', '/etc/haverdict/haverdict.yaml']);
      assert.match(check.stderr, /backend\.url: must be set/, 'the image names no backend of its own');
      const top = container.exec(['haverdict', 'top', '--once', '--json']);
      assert.deepEqual([top.status, top.stderr, typeof JSON.parse(top.stdout).version], [0, '', 'string']);
      process.kill(container.pid, 'SIGTERM');
      const [code] = await once(container.process, 'exit');
      assert.equal(code, 0, lines.join('\n'));
      assert.deepEqual(
        lines.filter((line) => /"level":[456]0/.test(line) && !/backend|credentials|function/.test(line)),
        [],
      );
      assert.ok(existsSync(join(image.root, 'var/lib/haverdict/cache')), 'the cache is kept for the next start');
    });

    it('does not start without a folder that its configuration names, and says which', {
      timeout: 120_000,
    }, async (t) => {
      const image = new ContainerImage(join(ROOT, 'packaging/Containerfile'));
      t.after(() => image.remove());
      rmSync(join(image.root, 'run/haverdict'), { recursive: true });
      const { container, lines } = start(t, image);
      const [code] = await once(container.process, 'exit');
      assert.notEqual(code, 0);
      assert.match(lines.join('\n'), /folder \/run\/haverdict does not exist/);
    });
  });

function start(t: TestContext, image: ContainerImage): { container: Container; lines: string[] } {
  const container = image.start(documented());
  t.after(() => container.process.kill('SIGKILL'));
  const lines: string[] = [];
  for (const input of [container.process.stdout, container.process.stderr])
    createInterface({ input }).on('line', (line) => lines.push(line));
  return { container, lines };
}

async function untilSaid({ process: started }: Container, lines: readonly string[], text: string): Promise<void> {
  const exited = once(started, 'exit').then(([code]) => assert.fail(`it ended with ${code}:\n${lines.join('\n')}`));
  while (!lines.some((line) => line.includes(text)))
    await Promise.race([once(started.stdout, 'data'), once(started.stderr, 'data'), exited]);
}
