import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { promisify } from 'node:util';
import { compilerPackage } from '../../dev/test-tools.ts';
import { FrameType } from '../../spop/frame.ts';
import { temporaryFolder } from '../support/config-file.ts';
import {
  codeIn,
  compiles,
  installedIn,
  link,
  packed,
  pointsAt,
  SETUPS,
  writeExamples,
} from '../support/installed-package.ts';
import { describeNewer } from '../support/scope.ts';
import { Client } from '../support/spop/client.ts';
import { hello, notify, str } from '../support/spop/naive-codec.ts';
import { untilListening } from '../support/until-listening.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const MOST_BYTES = 200_000;
/** A program that uses nothing of Node or the DOM. */
const BARE = `import { createAgent, haproxyFiles, message } from 'haverdict-spop';
export const agent = createAgent({
  ask: message({ args: { ip: 'address' } }, ({ args, set, signal }) => set('seen', args.ip !== null && signal !== null)),
});
export const files = haproxyFiles({ listen: { port: 9000 }, messages: { ask: { args: { ip: 'src' } } } });
`;

/** Each line but the first is wrong behind its mark. */
const WRONG = `import { createAgent, haproxyFiles, message } from 'haverdict-spop';

const agent = createAgent({ /*!*/ask: 'deny' }, { onError: async () => {} });
createAgent({ ask: message({ args: { /*!*/ip: 'ip' } }, () => {}) });
message({ args: { ip: 'address' } }, ({ args }) => args./*!*/port);
message({ args: { ip: 'address' }, vars: { a: 'text' } }, ({ args }) => args./*!*/port);
message({ vars: { /*!*/a: 'string' } }, () => {});
message({ vars: { a: 'text' } }, ({ set }) => set(/*!*/'b', 'x'));
message({ vars: { a: 'text' } }, ({ set }) => set('a', /*!*/7));
message({ args: { ip: 'address' }, vars: { a: 'integer' } }, ({ args, set }) => set('a', /*!*/args.ip));
message({ args: { ip: 'address' } }, ({ set }) => set('a', /*!*/undefined));
message({ vars: { a: 'text' } }, async ({ args, set }) => set('a', /*!*/args.ip ?? null));
message({ /*!*/arg: {} }, () => {});
createAgent({}, { /*!*/fallback: async ({ set }) => { set('a', 1); } });
createAgent({}, { /*!*/fallback: async ({ set }) => set('a', 1) });
createAgent({}, { /*!*/deadlineMS: 5 });
createAgent({}, { /*!*/deadlineMs: '5' });
createAgent({ ask: ({ set }) => set('a', 'b', /*!*/'transaction') });
await agent.listen(/*!*/{ port: 1, path: '/a.sock' });
await agent.listen({ port: 1, /*!*/mode: 0o660 });
await agent.listen({ /*!*/port: '1' });
haproxyFiles({ listen: { port: 1 }, messages: { ask: { /*!*/event: 'on-request' } } });
haproxyFiles({ listen: { port: 1 }, messages: { ask: { args: { /*!*/ip: 4 } } } });
`;

describeNewer('haverdict-spop as published', () => {
  const folder = temporaryFolder({ after });

  before(async () => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const tarball = await packed(join(root, 'spop'), folder);
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder });
  });

  it('is one package of less than 200 kB, on the disk too', () => {
    assert.deepEqual(installedIn(folder), ['haverdict-spop']);
    const own = join(folder, 'node_modules', 'haverdict-spop');
    const files = globSync('**/*', { cwd: own, withFileTypes: true }).filter((entry) => entry.isFile());
    const sizes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)));
    const sum = (of: (stats: Stats) => number) => sizes.reduce((total, stats) => total + of(stats), 0);
    assert.ok(sum(({ size }) => size) < MOST_BYTES, `${sum(({ size }) => size)} bytes`);
    assert.ok(sum(({ blocks }) => blocks * 512) < MOST_BYTES, `${sum(({ blocks }) => blocks * 512)} bytes on the disk`);
  });

  it('has the version of haverdict, a home, a licence and a README', () => {
    const ours = manifestOf(root);
    const { version, homepage, bugs, repository, license } = manifestOf(join(folder, 'node_modules/haverdict-spop'));
    assert.deepEqual(
      [version, bugs, repository?.url, license],
      [ours.version, ours.bugs, ours.repository?.url, ours.license],
    );
    assert.ok(homepage?.startsWith(ours.homepage?.split('#')[0] ?? '-'));
    for (const file of ['README.md', 'LICENSE'])
      assert.ok(existsSync(join(folder, 'node_modules/haverdict-spop', file)));
  });

  it('leaves nothing in the folder that it is packed from', () => {
    assert.deepEqual(
      ['dist', 'LICENSE'].filter((name) => existsSync(join(root, 'spop', name))),
      [],
    );
  });

  for (const [nth, name] of ['agent with a connection', 'agent with frames by hand'].entries())
    it(`runs the ${name} of docs/reference/spop.md as it is printed, whatever another peer sends`, async (t) => {
      const code = codeIn('docs/reference/spop.md')[nth] ?? '';
      const socket = join(folder, `agent-${nth}.sock`);
      writeFileSync(
        join(folder, `agent-${nth}.ts`),
        code.replace("listen(9000, '127.0.0.1')", `listen(${JSON.stringify(socket)})`),
      );
      const agent = spawn(process.execPath, [`agent-${nth}.ts`], {
        cwd: folder,
        stdio: ['ignore', 'inherit', 'ignore'],
      });
      t.after(() => agent.kill('SIGKILL'));
      await untilListening(socket); // the program prints nothing when it does
      const garbage = await Client.connect({ path: socket });
      garbage.socket.write('GET / HTTP/1.1\r\n\r\n');
      await garbage.closed();
      const haproxy = await Client.connect({ path: socket });
      haproxy.socket.write(hello());
      await haproxy.received(1);
      haproxy.socket.write(notify(1, 1, ['check', ['blocked', str('yes')]]));
      const [answer, ack] = await haproxy.received(2);
      haproxy.socket.destroy();
      assert.equal(answer?.type, FrameType.agentHello);
      assert.match(Buffer.from(ack?.payload ?? []).toString('latin1'), /action.*deny$/s);
    });
});

describeNewer('the types of haverdict-spop, which a program checks with its own', () => {
  const folder = temporaryFolder({ after });
  const older = join(folder, 'older');

  before(async () => {
    const tarball = await packed(join(root, 'spop'), folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder });
    writeExamples('spop/spop.ts', folder);
    for (const [page, document] of Object.entries({ readme: 'spop/README.md', reference: 'docs/reference/spop.md' }))
      for (const [nth, code] of codeIn(document).entries()) writeFileSync(join(folder, `${page}-${nth}.mts`), code);
    for (const name of ['header', 'rate', 'geo'])
      cpSync(join(root, `docs/guides/spop-agents/${name}.ts`), join(folder, `${name}.mts`));
    mkdirSync(join(folder, 'bare'));
    writeFileSync(join(folder, 'bare/agent.ts'), BARE);
    mkdirSync(older);
    for (const file of globSync('*.mts', { cwd: folder })) cpSync(join(folder, file), join(older, file));
    link(older, '@types/node', compilerPackage('types-node-18'));
    link(folder, '@types/node');
    link(folder, 'undici-types');
  });

  compiles(() => folder, SETUPS);
  compiles(() => older, { 'the types of Node 18': { module: 'nodenext', types: ['node'] } });
  compiles(() => folder, { 'no types of Node': { module: 'nodenext', types: [] } }, 'bare/*.ts');
  pointsAt(() => folder, WRONG);
});

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly homepage?: string;
  readonly bugs?: string;
  readonly repository?: { readonly url: string };
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
