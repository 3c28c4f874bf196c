import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadSettings } from '../../config/load.ts';
import { agentLimits, readUnits } from '../../infra/limits.ts';
import { readAppSettings } from '../../infra/settings.ts';
import { SettingsError } from '../../infra/settings-error.ts';

const WRONG: readonly [context: Record<string, unknown>, message: string][] = [
  [{ ttlSeconds: 'lots' }, 'ttlSeconds must be a whole number from 0 to 86400, not "lots"'],
  [{ ttlSeconds: '1.5' }, 'ttlSeconds must be a whole number from 0 to 86400, not "1.5"'],
  [{ ttlSeconds: '' }, 'ttlSeconds must be a whole number from 0 to 86400, not ""'],
  [{ reservedConcurrency: 0 }, 'reservedConcurrency must be a whole number from 1 to 10000, or none, not 0'],
  [{ reservedConcurrency: 'all' }, 'reservedConcurrency must be a whole number from 1 to 10000, or none, not "all"'],
  [{ maxReadUnits: '40001' }, 'maxReadUnits must be a whole number from 1 to 40000, not "40001"'],
  [{ agents: 0 }, 'agents must be a whole number from 1 to 10000, not 0'],
  [
    { agents: '21', reservedConcurrency: '2' },
    'agents must be at most 20 with reservedConcurrency 2, one call a second for each, not "21"',
  ],
  [{ keepTable: 'no' }, 'keepTable must be true or false, not "no"'],
  [{ tableName: 'ab' }, 'tableName must be 3 to 255 letters, digits, _ . or -, not "ab"'],
  [{ region: 'Frankfurt' }, 'region must be a region such as eu-west-1, not "Frankfurt"'],
  [{ account: '123' }, 'account must be an account number of 12 digits, not "123"'],
  [
    { replicas: 'eu-west-1;eu-west-2' },
    'replicas must be regions such as eu-west-1, with commas between them, not "eu-west-1;eu-west-2"',
  ],
  [
    { replicas: 'eu-west-1,us-east-1' },
    'replicas must be regions other than us-east-1, each once, not "eu-west-1,us-east-1"',
  ],
  [
    { replicas: 'eu-west-1,eu-west-1' },
    'replicas must be regions other than us-east-1, each once, not "eu-west-1,eu-west-1"',
  ],
  [{ stackName: '1st' }, 'stackName must be 1 to 128 letters, digits and -, a letter first, not "1st"'],
  [{ tags: 'team' }, 'tags must be NAME=VALUE, with commas between more of them, not "team"'],
  [{ tags: '=edge' }, 'tags must be NAME=VALUE, with commas between more of them, not "=edge"'],
  [
    { agentPrincipal: '*' },
    'agentPrincipal must be the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:role/NAME, not "*"',
  ],
  [
    { agentPrincipal: 'arn:aws:iam::123456789012:role/*' },
    'agentPrincipal must be the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:role/NAME, not "arn:aws:iam::123456789012:role/*"',
  ],
  [
    { alarmTopicArn: 'oncall' },
    'alarmTopicArn must be the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:NAME, not "oncall"',
  ],
  [
    { alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:oncall' },
    'alarmTopicArn must be a topic in us-east-1, not "arn:aws:sns:eu-west-1:123456789012:oncall"',
  ],
  [{ budgetUsd: 20 }, 'budgetEmail must be set: budgetUsd and budgetEmail go together'],
  [{ budgetEmail: 'ops@example.org' }, 'budgetUsd must be set: budgetUsd and budgetEmail go together'],
  [{ budgetUsd: 20, budgetEmail: 'ops' }, 'budgetEmail must be an e-mail address, not "ops"'],
];

describe('the settings of the app', () => {
  for (const [context, message] of WRONG) {
    it(`are refused: ${message}`, () => {
      assert.throws(() => readAppSettings(context), new SettingsError(`context: ${message}`));
    });
  }

  it('are told all at once when several are wrong', () => {
    assert.throws(
      () => readAppSettings({ ttlSeconds: 'a', region: 'b', logRetentionDays: 2 }),
      ({ message }) => {
        assert.deepEqual(message.split('\n').length, 3);
        return true;
      },
    );
  });

  it('name those there are when one is not among them, but leave alone what belongs to the CDK', () => {
    assert.throws(
      () => readAppSettings({ reservedConcurency: 5 }),
      /unknown setting reservedConcurency: use .*reservedConcurrency/,
    );
    readAppSettings({ '@aws-cdk/core:flag': true, 'aws:cdk:bundling-stacks': [], 'cli-telemetry': false });
  });

  it('mean the same as text on the command line and as JSON in cdk.json', () => {
    const asJson = {
      ttlSeconds: 60,
      keepTable: false,
      reservedConcurrency: 20,
      replicas: ['eu-west-1', 'eu-north-1'],
      logRetentionDays: 7,
      tags: { team: 'edge', cost: 'a=b' },
    };
    const asText = {
      ttlSeconds: '60',
      keepTable: 'false',
      reservedConcurrency: '20',
      replicas: 'eu-west-1, eu-north-1',
      logRetentionDays: '7',
      tags: 'team=edge,cost=a=b',
    };
    assert.deepEqual(readAppSettings(asText), readAppSettings(asJson));
  });

  it('are safe if nothing is said', () => {
    const { keepTable, reservedConcurrency, tableName, region } = readAppSettings({});
    assert.deepEqual(
      { keepTable, reservedConcurrency, tableName, region },
      { keepTable: true, reservedConcurrency: 10, tableName: 'haverdict', region: 'us-east-1' },
    );
  });
});

describe('what follows from how many copies of the function there are', () => {
  it('is the limit of the table, unless it is set', () => {
    assert.deepEqual(([10, 50, 1000, 'none'] as const).map(readUnits), [2000, 10_000, 40_000, 2000]);
  });

  it('is what each agent may ask: together no more than the function serves, and one call at least', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }), (copies, agents) => {
        fc.pre(agents <= copies * 10);
        const limits = agentLimits(copies, agents);
        assert.ok(limits !== undefined && limits.maxCallsPerSecond >= 1 && limits.maxConcurrent >= 1);
        assert.ok(limits.maxCallsPerSecond * agents <= copies * 10);
        assert.ok(limits.maxConcurrent * agents <= Math.max(copies, agents));
        // What the agent itself takes.
        const { backend } = loadSettings(undefined, {
          HAVERDICT_BACKEND_URL: 'http://127.0.0.1',
          HAVERDICT_BACKEND_MAX_CALLS_PER_SECOND: `${limits.maxCallsPerSecond}`,
          HAVERDICT_BACKEND_MAX_CONCURRENT: `${limits.maxConcurrent}`,
        });
        assert.deepEqual([backend.maxCallsPerSecond, backend.maxConcurrent], Object.values(limits));
      }),
    );
    assert.equal(agentLimits('none', 1), undefined);
  });
});
