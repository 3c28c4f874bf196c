import './consumer/from-sources.ts';
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../support/config-file.ts';
import { snippetsOf } from './consumer/snippets.ts';
import './synthesized.ts'; // bundles the function

const ROOT = join(import.meta.dirname, '../..');

describe('the CDK apps in the documents', () => {
  const folder = temporaryFolder({ after });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));

  for (const [nth, { page, code }] of snippetsOf(ROOT).entries())
    it(`synthesize: ${page}, ${code.split('\n').length} lines`, async () => {
      const file = join(folder, `snippet-${nth}.ts`);
      // stack.test.ts validates, which takes seconds
      const quick = code.replace('new App()', 'new App({ builtinCloudFormationValidation: false })');
      writeFileSync(file, `${quick}export { app };\n`);
      const { app } = await import(pathToFileURL(file).href);
      assert.ok(app.synth().stacks.length > 0);
    });
});
