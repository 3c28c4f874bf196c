import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { instructionsOf } from '../support/container-image.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

const INSTRUCTIONS = instructionsOf(join(ROOT, 'packaging/Containerfile'));

// No container engine is needed for this; container.test.ts plays the file and starts what it makes.
describe('the Containerfile', () => {
  it('has instructions that there are, and two stages', () => {
    const known = /^(ARG|FROM|WORKDIR|COPY|RUN|ENV|USER|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/;
    assert.deepEqual(
      INSTRUCTIONS.filter(({ name }) => !known.test(name)),
      [],
    );
    assert.equal(all('FROM').length, 2);
  });

  it('copies what is there', () => {
    const sources = all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    assert.ok(sources.length > 5);
    for (const source of sources) assert.ok(existsSync(join(ROOT, source)), source);
  });

  it('fetches nothing beside its packages', () => {
    assert.deepEqual(
      all('RUN').filter((rest) => /curl|wget|apt|npx|npm (?!ci )/.test(rest)),
      [],
    );
  });

  it('does not run as root, and says how it is well', () => {
    assert.deepEqual(all('USER'), ['node']);
    assert.equal(all('HEALTHCHECK').length, 1);
    const last = INSTRUCTIONS.findLastIndex(({ name }) => name === 'RUN');
    assert.ok(INSTRUCTIONS.findIndex(({ name }) => name === 'USER') > last, 'what is made after USER needs its rights');
  });

  it('makes its bundle of nothing but what it copies', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-container-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const build = join(folder, 'build');
    for (const rest of all('COPY').slice(
      0,
      all('COPY').findIndex((copied) => copied.startsWith('--from=')),
    ))
      for (const source of rest.split(' ').slice(0, -1))
        cpSync(join(ROOT, source), join(build, source), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(build, 'node_modules'));
    const [, script = '', command = ''] = /^node (\S+) (\S+) /.exec(all('RUN').at(1) ?? '') ?? [];
    await run(process.execPath, [script, command, join(folder, 'out'), process.execPath], { cwd: build });
    const { stdout } = await run(join(folder, 'out/cli/main.js'), ['--version']);
    assert.equal(stdout.trim(), JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version);
  });
});

function all(name: string): string[] {
  return INSTRUCTIONS.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}
