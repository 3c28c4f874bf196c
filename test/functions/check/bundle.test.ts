import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { temporaryFolder } from '../../support/config-file.ts';
import { functionEvent } from '../../support/function-event.ts';

const ENTRY = fileURLToPath(new URL('../../../functions/check/lambda.ts', import.meta.url));
const MAX_KIB = 420;

describe('the bundle that Lambda gets', () => {
  it('is small, whole and starts by itself', async (t) => {
    const folder = temporaryFolder(t);
    const outfile = join(folder, 'index.mjs');
    await build({
      ...{ entryPoints: [ENTRY], outfile, bundle: true, minify: true, logLevel: 'silent' },
      ...{ platform: 'node', format: 'esm', target: 'node24', mainFields: ['module', 'main'] },
      banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    });
    const kib = readFileSync(outfile).length / 1024;
    assert.ok(kib < MAX_KIB, `${kib.toFixed(0)} KiB`);

    const event = JSON.stringify(functionEvent('GET', '/v1/health'));
    const script = `const { handler } = await import(${JSON.stringify(outfile)});
      console.error((await handler(${event})).body);`;
    const env = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' };
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env, cwd: folder });
    assert.equal((await run).stderr.trim(), '{"status":"ok"}');
  });
});
