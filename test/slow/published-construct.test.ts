import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Template } from '../../dev/local-cloud/assembly.ts';
import { compilerPackage, OTHER_COMPILERS } from '../../dev/test-tools.ts';
import { HaverdictStack } from '../../infra/stack.ts';
import { snippetsOf } from '../infra/consumer/snippets.ts';
import { settingsOf, testApp } from '../infra/synthesized.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { writeExamples } from '../support/installed-package.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const STACKS = ['Frankfurt', 'Ireland', 'Vault'];
const NOT_PACKED = /\/(node_modules|\.cache|\.git|dist|cdk\.out|test|functions\/\w+\/bundle.*)(\/|$)/;
const { peerDependencies: PEERS } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { context: FLAGS } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));

/** The oldest versions that package.json allows, and the newest that there are. */
const VERSIONS = {
  oldest: (name: string) => PEERS[name].replace('^', ''),
  newest: (name: string) => PEERS[name],
};
const TSCONFIG = {
  compilerOptions: {
    ...{ strict: true, noEmit: true, target: 'es2022', module: 'nodenext', types: ['node'] },
    ...{ allowImportingTsExtensions: true, skipLibCheck: false },
  },
};

describe('the construct as published, in an app of somebody else', () => {
  const folder = temporaryFolder({ after });
  let tarball: string;

  before(async () => {
    const checkout = join(folder, 'checkout');
    cpSync(ROOT, checkout, { recursive: true, filter: (path) => !NOT_PACKED.test(path.slice(ROOT.length)) });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: checkout });
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
    tarball = join(folder, filename);
  });

  for (const [age, version] of Object.entries(VERSIONS))
    describe(`with the ${age} CDK`, () => {
      const project = join(folder, age);

      before(async () => {
        cpSync(join(ROOT, 'test/infra/consumer'), project, { recursive: true });
        for (const [nth, { code }] of snippetsOf(ROOT).entries())
          writeFileSync(join(project, `snippet-${nth}.ts`), code);
        writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
        writeFileSync(
          join(project, 'tsconfig.json'),
          JSON.stringify({ ...TSCONFIG, include: ['main.ts', 'snippet-*.ts'] }),
        );
        const peers = Object.keys(PEERS).map((name) => `${name}@${version(name)}`);
        const packages = [tarball, ...peers, '@types/node@24'];
        await run('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...packages], { cwd: project });
      });

      it('installs without a bundler', () => {
        assert.ok(!existsSync(join(project, 'node_modules/esbuild')));
        const { version: installed } = manifest(join(project, 'node_modules/aws-cdk-lib'));
        if (age === 'oldest') assert.equal(installed, version('aws-cdk-lib'));
      });

      it('compiles, with the types of the package checked', async () => {
        await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project]).catch(({ stdout }) => assert.fail(stdout));
      });

      for (const compiler of OTHER_COMPILERS)
        it(`compiles with ${compiler}, with the types of the package and of the CDK checked`, async () => {
          const folder = join(project, compiler);
          mkdirSync(folder);
          writeExamples('infra/backend.ts', folder);
          const { allowImportingTsExtensions: _, ...compilerOptions } = TSCONFIG.compilerOptions;
          writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
          const tsc = join(compilerPackage(compiler), 'bin/tsc');
          await run(process.execPath, [tsc, '-p', folder]).catch(({ stdout }) => assert.fail(stdout));
        });

      it('compiles in a project of CommonJS', async () => {
        const folder = join(project, 'commonjs');
        cpSync(join(project, 'app.ts'), join(folder, 'app.ts'));
        writeFileSync(join(folder, 'package.json'), '{ "private": true }');
        const { allowImportingTsExtensions: _, ...compilerOptions } = TSCONFIG.compilerOptions;
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['app.ts'] }));
        await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder]).catch(({ stdout }) => assert.fail(stdout));
      });

      it('is loaded by programs in CommonJS', async () => {
        const script = 'console.log(typeof require("haverdict/infra").HaverdictBackend)';
        const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', script], { cwd: project });
        assert.equal(stdout.trim(), 'function');
      });

      it('deploys the functions of the package, of the same bytes as here', async () => {
        await synthesize(project, 'out');
        await run(process.execPath, ['packaging/function-bundles.ts'], { cwd: ROOT });
        const theirs = hashesOf('out/asset.*/index.mjs', project);
        assert.ok(theirs.length > 0);
        assert.deepEqual(theirs, hashesOf('functions/*/bundle/index.mjs', ROOT));
      });

      it('shows in an editor what each prop is, and its default', () => {
        const published = join(project, 'node_modules/haverdict/dist/infra/backend-props.d.ts');
        const props =
          readFileSync(published, 'utf8')
            .split('interface HaverdictBackendProps')[1]
            ?.split(/^ {4}readonly /m) ?? [];
        assert.ok(props.length > 15);
        for (const before of props.slice(0, -1)) assert.match(before, /@default [\s\S]*\*\/\s*$/);
      });

      it('has the licences of what is in the bundles', () => {
        const licences = readFileSync(join(project, 'node_modules/haverdict/dist/functions/licences.txt'), 'utf8');
        for (const name of ['@aws-sdk/client-dynamodb', 'zod']) assert.ok(licences.includes(`${name} `), name);
      });

      it('makes the same templates again', async () => {
        await synthesize(project, 'again');
        for (const stack of STACKS) {
          const [once, again] = ['out', 'again'].map((out) =>
            readFileSync(templateIn(join(project, out), stack), 'utf8'),
          );
          assert.equal(once, again);
        }
      });
    });

  it('makes no difference for cdk diff when nothing has changed', async () => {
    const [out, again] = ['out', 'again'].map((name) => join(folder, 'newest', name)) as [string, string]; // two
    for (const stack of STACKS) {
      const said = await diff(['--app', again, '--template', templateIn(out, stack), '--exclusively', stack]);
      assert.match(said, /There were no differences/);
    }
  });

  it('makes the same resources with both', () => {
    for (const stack of STACKS) {
      const [oldest, newest] = Object.keys(VERSIONS).map((age) => resourcesOf(join(folder, age, 'out'), stack));
      assert.deepEqual(oldest, newest);
    }
  });
});

describe('the upgrade from 0.1.0, for cdk diff', () => {
  it('adds resources, and neither replaces nor removes one', async () => {
    const folder = temporaryFolder({ after });
    const app = testApp({ folder });
    new HaverdictStack(app, settingsOf({ agentPrincipal: 'arn:aws:iam::123456789012:root', replicas: ['eu-west-1'] }));
    app.synth();
    const said = await diff(['--app', folder, '--template', join(ROOT, 'test/infra/template-0.1.0.json')]);
    assert.match(said, /\[\+] AWS::Lambda::Alias/);
    assert.doesNotMatch(said, /replace|destroy|orphan|\[-] AWS::/i);
  });
});

function manifest(folder: string): { readonly version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

async function synthesize(project: string, out: string): Promise<void> {
  const env = { ...process.env, CDK_OUTDIR: join(project, out), CDK_CONTEXT_JSON: JSON.stringify(FLAGS) };
  await run(process.execPath, ['main.ts'], { cwd: project, env });
}

async function diff(args: readonly string[]): Promise<string> {
  const env = { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' };
  const cdk = join(ROOT, 'node_modules/.bin/cdk');
  const { stdout, stderr } = await run(cdk, ['diff', '--no-notices', ...args], { env, cwd: ROOT });
  return stdout + stderr;
}

function templateIn(out: string, stack: string): string {
  return join(out, `${stack}.template.json`);
}

function hashesOf(pattern: string, cwd: string): string[] {
  const hash = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(cwd, file)))
      .digest('hex');
  return globSync(pattern, { cwd }).map(hash).sort();
}

/** The type of each resource by its id. */
function resourcesOf(out: string, stack: string): Record<string, string> {
  const { Resources }: Template = JSON.parse(readFileSync(templateIn(out, stack), 'utf8'));
  return Object.fromEntries(Object.entries(Resources).map(([id, { Type }]) => [id, Type]));
}
