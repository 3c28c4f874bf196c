import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ConfigError } from '../../../config/config-error.ts';
import {
  EXAMPLE_FILE,
  parseSettings,
  readDeployment,
  refuseContext,
  SETTINGS,
} from '../../../infra/deployment/settings.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { settingsOf } from '../synthesized.ts';

/** What is added to `region: us-east-1`, and the one line that is said about it, without the file. */
const WRONG: readonly [yaml: string, line: string][] = [
  ['regoin: eu-west-1', '2:1: regoin: unknown setting, did you mean region?'],
  ['maxConcurrent: 5', `2:1: maxConcurrent: unknown setting, expected one of: ${Object.keys(SETTINGS).join(', ')}`],
  ['ttlSeconds: 5m', '2:13: ttlSeconds: must be a whole number from 0 to 86400, got "5m": write 300'],
  ['ttlSeconds: 1.5', '2:13: ttlSeconds: must be a whole number from 0 to 86400, got 1.5'],
  ['ttlSeconds:', '2:12: ttlSeconds: must be a whole number from 0 to 86400, got nothing'],
  ['reservedConcurrency: 0', '2:22: reservedConcurrency: must be a whole number from 1 to 10000, or none, got 0'],
  ['reservedConcurrency: all', '2:22: reservedConcurrency: must be a whole number from 1 to 10000, or none, got "all"'],
  [
    'reservedConcurrency: 5\nprovisionedConcurrency: 6',
    '3:25: provisionedConcurrency: must be below reservedConcurrency, which is 5: none is left for the unqualifiedUrl, got 6',
  ],
  ['maxReadUnits: 40001', '2:15: maxReadUnits: must be a whole number from 1 to 40000, got 40001'],
  ['agents: 0', '2:9: agents: must be a whole number from 1 to 10000, got 0'],
  [
    'agents: 21\nreservedConcurrency: 2',
    '2:9: agents: must be at most 20 with reservedConcurrency 2, one call a second for each, got 21',
  ],
  ['keepTable: no', '2:12: keepTable: must be true or false, got "no": write false'],
  ['tableName: ab', '2:12: tableName: must be 3 to 255 letters, digits, _ . or -, got "ab"'],
  ['account: 123456789012', '2:10: account: must be an account number of 12 digits, in quotes, got 123456789012'],
  ['replicas: eu-west-1', '2:11: replicas: must be a list of at most 30 regions, got "eu-west-1"'],
  ['replicas: [Ireland]', '2:12: replicas[0]: must be a region such as eu-west-1, got "Ireland"'],
  ['replicas: [eu-west-1, us-east-1]', '2:11: replicas: must be regions other than region, which is us-east-1'],
  [
    'replicas: [eu-west-1, eu-west-1]',
    '2:11: replicas: must be a list without duplicates, got ["eu-west-1","eu-west-1"]',
  ],
  ['alsoIn: [us-east-1]', '2:9: alsoIn: must be regions other than region, which is us-east-1'],
  ['stackName: 1st', '2:12: stackName: must be 1 to 128 letters, digits and -, a letter first, got "1st"'],
  ['tags: team', '2:7: tags: must be a map of tags, got "team"'],
  [
    'tags: { cost: 5 }',
    '2:15: tags.cost: must be a text of at most 256 characters, in quotes if it is a number, got 5',
  ],
  [
    'agentPrincipal: "*"',
    '2:17: agentPrincipal: must be the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:role/NAME, got "*"',
  ],
  [
    'agentPrincipal: arn:aws:iam::123456789012:role/*',
    '2:17: agentPrincipal: must be the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:role/NAME, got "arn:aws:iam::123456789012:role/*"',
  ],
  [
    'alarmTopicArn: oncall',
    '2:16: alarmTopicArn: must be the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:NAME, got "oncall"',
  ],
  [
    'alarmTopicArn: arn:aws:sns:eu-west-1:123456789012:oncall',
    '2:16: alarmTopicArn: must be a topic in us-east-1, got one in eu-west-1',
  ],
  ['budgetUsd: 20', '2:12: budgetUsd: needs budgetEmail: set both or none'],
  ['budgetEmail: ops@example.org', '2:14: budgetEmail: needs budgetUsd: set both or none'],
  ['budgetUsd: 20\nbudgetEmail: ops', '3:14: budgetEmail: must be an e-mail address, got "ops"'],
  ['region: us-east-2', '2:1: duplicate key'],
];

describe('the settings of a deployment', () => {
  for (const [yaml, line] of WRONG)
    it(`are refused with one line: ${line}`, (t) => {
      const file = join(temporaryFolder(t), 'deploy.yaml');
      writeFileSync(file, `region: us-east-1\n${yaml}\n`);
      assert.throws(
        () => readDeployment(file),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.equal(error.message.replaceAll(`${file}:`, ''), line);
          return true;
        },
      );
    });

  it('are told all at once when several are wrong', (t) => {
    const file = join(temporaryFolder(t), 'deploy.yaml');
    writeFileSync(file, 'ttlSeconds: a\nregion: b\nlogRetentionDays: 2\n');
    assert.throws(
      () => readDeployment(file),
      ({ message }) => message.split('\n').length === 3,
    );
  });

  it('need a region and a file: a default would be a second, empty table for whoever has another one', (t) => {
    const file = join(temporaryFolder(t), 'deploy.yaml');
    const refusal = (line: string) =>
      assert.throws(() => readDeployment(file), new ConfigError([{ where: file, setting: '', message: line }]));
    refusal('no such file: copy deploy.example.yaml and set your region');
    writeFileSync(file, '# nothing\n');
    assert.throws(() => readDeployment(file), /region: must be set: a region such as eu-west-1$/);
  });

  it('are safe if only the region is set', () => {
    const { keepTable, reservedConcurrency, tableName, stackName } = settingsOf({});
    assert.deepEqual(
      { keepTable, reservedConcurrency, tableName, stackName },
      { keepTable: true, reservedConcurrency: 10, tableName: 'haverdict', stackName: 'Haverdict' },
    );
  });

  it('are not in the context of the CDK, which has its own', () => {
    assert.throws(
      () => refuseContext({ region: 'eu-west-1' }),
      /^ConfigError: context: region: belongs into deploy.yaml/,
    );
    refuseContext({ '@aws-cdk/core:flag': true, 'aws:cdk:bundling-stacks': [], 'cli-telemetry': false });
  });
});

describe(EXAMPLE_FILE, () => {
  const text = readFileSync(new URL(`../../../${EXAMPLE_FILE}`, import.meta.url), 'utf8');

  it('is valid as it is', () => {
    assert.deepEqual(readDeployment(EXAMPLE_FILE).settings, parseSettings(parse(text)));
  });

  it('has in comments what applies without them', () => {
    const uncommented = text.replaceAll(/^# (\w+: \S+)$/gm, '$1');
    assert.ok(Object.keys(parse(uncommented)).length > 10);
    assert.deepEqual(parseSettings(parse(uncommented)), parseSettings(parse(text)));
  });
});
