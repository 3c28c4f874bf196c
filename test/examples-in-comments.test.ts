import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { temporaryFolder } from './support/config-file.ts';
import { exportsOf } from './support/documented-exports.ts';
import './support/packages-from-sources.ts';
import { describeNewer, describeUsual } from './support/scope.ts';

const ROOT = join(import.meta.dirname, '..');
/** The modules of our packages; that for the CDK takes long to load. */
const MODULES = { 'haverdict-spop': 'spop/spop.ts', 'haverdict/script': 'agent/scripts/script-types.ts' };
const CDK_MODULES = { 'haverdict/infra': 'infra/backend.ts' };

describeUsual('the examples in the comments of exports', () => tests(MODULES));
describeNewer('the examples in the comments of exports', () => tests(CDK_MODULES));

function tests(modules: Readonly<Record<string, string>>): void {
  const folder = temporaryFolder({ after });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules')); // of the CDK
  for (const [module, entry] of Object.entries(modules))
    for (const [nth, { name, example }] of exportsOf(join(ROOT, entry)).entries())
      it(`${module}: ${name} has one, which runs`, async () => {
        assert.ok(example !== undefined, 'there is none');
        assert.ok(example.includes(`from '${module}'`) && example.includes(name));
        const file = join(folder, `${module.replace('/', '-')}-${nth}.mts`);
        writeFileSync(file, example);
        await import(file);
      });
}
