import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { CreateTableCommand, type CreateTableInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { TABLE } from '../../../blocklist/table.ts';
import { askAws } from '../../../infra/deployment/facts.ts';
import { type Facts, importsTable, problemsOf } from '../../../infra/deployment/preflight.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { settingsOf } from '../synthesized.ts';
import { type Account, type Region, type ScriptedAws, startScriptedAws } from './scripted-aws.ts';

const HERE = 'eu-central-1';
const accountWith = (here: Region, others: Account['regions'] = {}): Account => ({
  regions: { [HERE]: here, ...others },
});
const DEPLOYED = { stacks: { Haverdict: {} } };
const blocklistKeys = { HASH: TABLE.partitionKey, RANGE: TABLE.sortKey };

interface Case {
  readonly title: string;
  readonly account: Account;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The keys of the table `haverdict`, if it is there. */
  readonly table?: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  readonly imports?: boolean;
}

const CASES: readonly Case[] = [
  { title: 'an empty account', account: accountWith({}), problems: [] },
  { title: 'a deployed stack', account: accountWith(DEPLOYED), table: blocklistKeys, problems: [] },
  {
    title: 'a new account, with a quota of 10',
    account: accountWith({ concurrency: { limit: 10, unreserved: 10 } }),
    problems: [
      'reservedConcurrency: must be none, not 10, or ask AWS for a higher quota "Concurrent executions" of Lambda in eu-central-1: of 10 copies in this account in eu-central-1, other functions reserve 0 and Lambda keeps 10 unreserved',
    ],
  },
  {
    title: 'a new account and nothing reserved',
    account: accountWith({ concurrency: { limit: 10, unreserved: 10 } }),
    settings: { reservedConcurrency: 'none' },
    problems: [],
  },
  {
    title: 'an account whose other functions reserve nearly all',
    account: accountWith({ concurrency: { limit: 1000, unreserved: 105 } }),
    problems: [
      'reservedConcurrency: must be none or at most 5, not 10, or ask AWS for a higher quota "Concurrent executions" of Lambda in eu-central-1: of 1000 copies in this account in eu-central-1, other functions reserve 895 and Lambda keeps 100 unreserved',
    ],
  },
  {
    title: 'an account in which this function has reserved the rest already',
    account: accountWith({ stacks: { Haverdict: { reserved: 10 } }, concurrency: { limit: 1000, unreserved: 100 } }),
    problems: [],
  },
  {
    title: 'a region without function URLs',
    account: accountWith({ hasFunctionUrls: false }),
    problems: ['region: eu-central-1 has no function URLs: choose another region'],
  },
  {
    title: 'a forgotten name of the table',
    account: accountWith({ stacks: { Haverdict: { tableName: 'blocklist' } } }),
    problems: [
      'tableName: must be blocklist, which the stack Haverdict in eu-central-1 has, not haverdict: that would be a new, empty table. Another table needs another stackName',
    ],
  },
  {
    title: 'a forgotten region',
    account: accountWith({}, { 'eu-west-1': DEPLOYED, 'us-east-1': {} }),
    problems: [
      'region: must be eu-west-1, where the stack Haverdict is, not eu-central-1: that would be a new, empty table. For one more stack, set alsoIn: [eu-west-1]',
    ],
  },
  {
    title: 'a second region on purpose',
    account: accountWith({}, { 'eu-west-1': DEPLOYED }),
    settings: { alsoIn: ['eu-west-1'] },
    problems: [],
  },
  {
    title: 'another stack name in another region',
    account: accountWith({}, { 'eu-west-1': DEPLOYED }),
    settings: { stackName: 'Other' },
    problems: [],
  },
  {
    title: 'the table of a stack that was deleted',
    account: accountWith({}),
    table: blocklistKeys,
    problems: [],
    imports: true,
  },
  {
    title: 'the table of a first deployment that failed half-way',
    account: accountWith({ stacks: { Haverdict: { state: 'ROLLBACK_COMPLETE' } } }),
    table: blocklistKeys,
    problems: [],
    imports: true,
  },
  {
    title: 'a forgotten name of the stack',
    account: accountWith({ stacks: { Blocklist: {} } }),
    table: blocklistKeys,
    problems: [
      'stackName: must be Blocklist, which has the table haverdict, not Haverdict. Another stack needs another tableName',
    ],
    imports: true,
  },
  {
    title: 'such a table, which is to have another region at the same time',
    account: accountWith({}),
    settings: { replicas: ['eu-west-1'] },
    table: blocklistKeys,
    problems: [
      'replicas: must be [] for this deployment: so the table is, and is imported as it is. Change it in the next',
    ],
    imports: true,
  },
  {
    title: 'such a table of version 0.1, which has no stream',
    account: { ...accountWith({}), hasStream: false },
    table: blocklistKeys,
    problems: [
      'updates: must be false for this deployment: the table has no stream, and is imported as it is. Change it in the next',
    ],
    imports: true,
  },
  {
    title: 'such a table that is not to be kept',
    account: accountWith({}),
    settings: { keepTable: false },
    table: blocklistKeys,
    problems: [
      'keepTable: must be true for this deployment: the table haverdict is there already, and CloudFormation imports only a table that it is to keep',
    ],
    imports: true,
  },
  {
    title: 'a table of somebody else',
    account: accountWith({}),
    table: { HASH: 'id' },
    problems: ['tableName: the table haverdict in eu-central-1 is no blocklist, its key is id: choose another name'],
    imports: true,
  },
  {
    title: 'everything at once',
    account: accountWith(
      { hasFunctionUrls: false, concurrency: { limit: 10, unreserved: 10 } },
      { 'eu-west-1': DEPLOYED },
    ),
    table: { HASH: 'subject', RANGE: 'name' },
    problems: [
      'region: eu-central-1 has no',
      'reservedConcurrency: must be none',
      'region: must be eu-west-1',
      'tableName: the table haverdict in eu-central-1 is no blocklist, its key is subject and name',
    ],
    imports: true,
  },
];

describe('before a deployment', () => {
  for (const { title, account, settings, table, problems, imports = false } of CASES)
    it(`finds in ${title}: ${problems.map((line) => line.split(':')[0]).join(', ') || 'nothing'}`, async (t) => {
      const aws = await startScriptedAws(t, account);
      if (table !== undefined) await createTable(aws, table);
      setEnvironment(t, aws.env);
      const asked = settingsOf({ region: HERE, ...settings });
      const { facts, refused } = await askAws(asked);
      const found = problemsOf(asked, facts).map(({ setting, message }) => `${setting}: ${message}`);
      assert.deepEqual(refused, []);
      assert.equal(found.length, problems.length, found.join('\n'));
      for (const [index, line] of found.entries()) assert.ok(line.startsWith(problems[index] ?? ''), line);
      assert.equal(importsTable(facts), imports);
      assert.ok(
        aws.asked.every((action) => / (Describe|Validate|Get|List)/.test(action)),
        aws.asked.join(),
      );
    });

  it('names what the credentials may not ask, and goes on with the rest', async (t) => {
    const denied = ['ListRegions', 'ValidateTemplate', 'GetAccountSettings', 'DescribeTable', 'DescribeStacks'];
    const aws = await startScriptedAws(t, { ...accountWith({ hasFunctionUrls: false }), denied });
    setEnvironment(t, aws.env);
    const asked = settingsOf({ region: HERE });
    const { facts, refused } = await askAws(asked);
    assert.deepEqual(problemsOf(asked, facts), []);
    assert.deepEqual(refused.map((line) => line.split(':')[0]).sort(), [
      'the quota of Lambda',
      'whether the stack exists',
      'whether the table exists',
    ]);
  });
});

describe('a region that the credentials may not ask', () => {
  it('is named, and the others are asked all the same', async (t) => {
    const account = accountWith({}, { 'eu-north-1': { isDenied: true }, 'eu-west-1': DEPLOYED });
    setEnvironment(t, (await startScriptedAws(t, account)).env);
    const asked = settingsOf({ region: HERE });
    const { facts, refused } = await askAws(asked);
    assert.deepEqual(facts.otherRegions, ['eu-west-1']);
    assert.deepEqual(refused, ['whether eu-north-1 has the stack: not authorized to perform: DescribeStacks']);
  });
});

describe('a change of replicas', () => {
  const replica = (region: string, isProtected = false) => ({ region, isProtected });
  const problemsWith = (wanted: string[], replicas: readonly { region: string; isProtected: boolean }[]) => {
    const facts: Facts = {
      ...{ stack: { tableName: 'haverdict' }, otherRegions: [], hasFunctionUrls: true },
      ...{ owner: undefined, concurrency: undefined },
      table: { partitionKey: TABLE.partitionKey, sortKey: TABLE.sortKey, hasStream: true, replicas },
    };
    return problemsOf(settingsOf({ region: HERE, replicas: wanted }), facts).map(({ message }) => message);
  };

  it('is of one region in a deployment', () => {
    assert.deepEqual(problemsWith(['eu-west-1'], []), []);
    assert.deepEqual(problemsWith(['eu-west-1'], [replica('eu-west-1', true)]), []);
    assert.deepEqual(problemsWith([], [replica('eu-west-1')]), []);
    assert.deepEqual(problemsWith(['eu-west-1'], [replica('eu-west-2')]), [
      'may change by one region in a deployment, not by + eu-west-1, - eu-west-2',
    ]);
  });

  it('removes no region whose replica is still protected', () => {
    assert.deepEqual(problemsWith([], [replica('eu-west-1', true)]), [
      'the replica in eu-west-1 is protected from deletion: run aws dynamodb update-table --region eu-west-1 --table-name haverdict --no-deletion-protection-enabled, then deploy again',
    ]);
  });
});

describe('npm run deploy', () => {
  it('ends before anything is made, with one line for each problem and its place in the file', async (t) => {
    const aws = await startScriptedAws(t, accountWith({ concurrency: { limit: 10, unreserved: 10 } }));
    const { code, stderr } = await deploy(t, 'agents: 1\nregion: eu-central-1\nreservedConcurrency: 10\n', aws.env);
    assert.equal(code, 1);
    assert.match(stderr, /^deploy\.yaml:3:22: reservedConcurrency: must be none, not 10, .*\n$/);
  });

  it('ends with one line for settings that are wrong, a forgotten file, and options that it does not take', async (t) => {
    const refusal = async (yaml: string | undefined, ...args: string[]) => {
      const { code, stderr } = await deploy(t, yaml, {}, ...args);
      assert.equal(stderr.split('\n').length, 2, stderr);
      return `${code} ${stderr.trim()}`;
    };
    assert.match(
      await refusal('regoin: eu-west-1'),
      /^78 deploy\.yaml:1:1: regoin: unknown setting, did you mean region\?$/,
    );
    assert.equal(
      await refusal(undefined),
      '78 deploy.yaml: no such file: copy deploy.example.yaml and set your region',
    );
    assert.equal(
      await refusal('region: eu-west-1', '-c', 'region=eu-west-2'),
      '2 region=eu-west-2: settings are in deploy.yaml, not on the command line',
    );
    assert.equal(await refusal('region: eu-west-1', '--settings'), '2 --settings needs a value');
  });

  it('ends with one line if AWS cannot be asked', async (t) => {
    const nowhere = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const { code, stderr } = await deploy(t, 'region: eu-west-1', nowhere);
    assert.equal(code, 69);
    assert.match(stderr, /^deploy: cannot ask AWS: .*ECONNREFUSED.*\n$/);
    const none = await deploy(t, 'region: eu-west-1', { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' });
    assert.equal(none.code, 69);
    assert.match(none.stderr, /^deploy: cannot ask AWS: Could not load credentials from any providers\n$/);
  });
});

async function createTable(
  { databaseEndpoint, env }: ScriptedAws,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: databaseEndpoint,
    region: HERE,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: 'secret' },
  });
  const KeySchema = Object.entries(keys).map(([KeyType, AttributeName]) => ({ KeyType, AttributeName }));
  await client.send(
    new CreateTableCommand({
      TableName: 'haverdict',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: KeySchema as CreateTableInput['KeySchema'], // HASH and RANGE
      AttributeDefinitions: Object.values(keys).map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    }),
  );
  client.destroy();
}

function setEnvironment(t: TestContext, env: Readonly<Record<string, string>>): void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

async function deploy(
  t: TestContext,
  yaml: string | undefined,
  env: Readonly<Record<string, string>>,
  ...args: string[]
) {
  const cwd = temporaryFolder(t);
  if (yaml !== undefined) writeFileSync(join(cwd, 'deploy.yaml'), yaml);
  const main = join(import.meta.dirname, '../../../infra/deployment/main.ts');
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const run = promisify(execFile)(process.execPath, [main, 'deploy', ...args], {
    cwd,
    env: { ...env, PATH, NODE_COMPILE_CACHE },
  });
  return run.then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  );
}
