import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { temporaryFolder } from '../../support/config-file.ts';
import { SCOPE } from '../../support/scope.ts';
import { type ScriptedAws, startScriptedAws } from './scripted-aws.ts';
import { ScriptedStacks } from './scripted-stacks.ts';

const ITEM = { subject: { S: 'ip:203.0.113.7' }, list: { S: 'manual' } };

/** The real command line of the CDK, which takes half a minute for these. */
if (SCOPE === 'all')
  describe('the first day of a deployment, by the real CDK', () => {
    it('survives a first deployment that fails half-way, and gets the data of a stack that was destroyed', async (t) => {
      const { stacks, aws, run } = await newAccount(t);
      stacks.failsOnce = true;
      const failed = await run('deploy');
      assert.notEqual(failed.code, 0);
      assert.match(failed.output, /UnreservedConcurrentExecution|ROLLBACK/);

      const second = await run('deploy');
      assert.equal(second.code, 0, second.output);
      assert.match(
        second.output,
        /^deploy: the table haverdict is there already: the stack takes it over with its entries$/m,
      );

      const table = tableOf(aws);
      await table.send(new PutItemCommand({ TableName: 'haverdict', Item: ITEM }));
      assert.equal((await run('destroy', '--force')).code, 0);
      assert.equal((await run('deploy')).code, 0);
      const { Item } = await table.send(new GetItemCommand({ TableName: 'haverdict', Key: ITEM }));
      assert.deepEqual(Item, ITEM);
      table.destroy();
    });
  });

async function newAccount(t: TestContext) {
  const stacks = new ScriptedStacks();
  const answer: ScriptedStacks['answer'] = (asked) => stacks.answer(asked);
  const aws = await startScriptedAws(t, { regions: { 'eu-central-1': {} }, answer });
  stacks.useDatabase(aws.databaseEndpoint);
  const cwd = temporaryFolder(t);
  writeFileSync(join(cwd, 'deploy.yaml'), 'region: eu-central-1\n');
  const main = join(import.meta.dirname, '../../../infra/deployment/main.ts');
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { ...aws.env, AWS_EC2_METADATA_DISABLED: 'true', HOME: cwd, PATH, NODE_COMPILE_CACHE };
  const run = async (...args: string[]) => {
    const all = [
      main,
      ...args,
      '--output',
      join(cwd, 'cdk.out'),
      ...(args[0] === 'deploy' ? ['--require-approval', 'never'] : []),
    ];
    return promisify(execFile)(process.execPath, all, { cwd, env }).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
    );
  };
  return { stacks, aws, run };
}

function tableOf({ databaseEndpoint, env }: ScriptedAws): DynamoDBClient {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' };
  return new DynamoDBClient({ endpoint: databaseEndpoint, region: 'eu-central-1', credentials });
}
