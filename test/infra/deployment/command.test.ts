import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parseCommand, UsageError } from '../../../infra/deployment/command.ts';

describe('the command line of a deployment', () => {
  it('calls the CDK with its options, and imports what is there', () => {
    const argumentsOf = (...args: string[]) => parseCommand(args).cdkArguments.join(' ');
    assert.equal(argumentsOf('deploy'), 'deploy --import-existing-resources');
    assert.equal(
      argumentsOf('deploy', '--require-approval', 'never'),
      'deploy --import-existing-resources --require-approval never',
    );
    assert.equal(argumentsOf('diff'), 'diff --import-existing-resources');
    assert.equal(argumentsOf('destroy', '--force'), 'destroy --force');
    assert.equal(argumentsOf('synth', '--quiet'), 'synth --quiet');
  });

  it('keeps its own option to itself, and reads that of the profile with the CDK', () => {
    for (const settings of [['--settings', 'b.yaml'], ['--settings=b.yaml']]) {
      const command = parseCommand(['deploy', ...settings, '--profile', 'ops']);
      assert.equal(command.settingsFile, resolve('b.yaml'));
      assert.equal(command.profile, 'ops');
      assert.equal(command.cdkArguments.join(' '), 'deploy --import-existing-resources --profile ops');
    }
    assert.equal(parseCommand(['deploy']).settingsFile, resolve('deploy.yaml'));
    assert.equal(parseCommand(['deploy', '--profile=ops']).profile, 'ops');
  });

  const wrong: readonly (readonly [string[], RegExp])[] = [
    [[], /^usage: npm run deploy\|diff\|destroy\|synth/],
    [['deplpy'], /^usage: /],
    [['deploy', '--settings'], /^--settings needs a value$/],
    [['deploy', '--settings='], /^--settings needs a value$/],
    [['deploy', '-c', 'tableName=mine'], /^tableName=mine: settings are in deploy.yaml, not on the command line$/],
    [['deploy', '--context', 'region=eu-west-1'], /^region=eu-west-1: /],
    [['deploy', '--context=region=eu-west-1'], /^region=eu-west-1: /],
    [['deploy', '-cregion=eu-west-1'], /^region=eu-west-1: /],
  ];
  for (const [args, message] of wrong)
    it(`refuses ${args.join(' ') || 'nothing'}`, () => {
      assert.throws(
        () => parseCommand(args),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });

  it('leaves context of the CDK alone', () => {
    const { cdkArguments } = parseCommand(['synth', '-c', '@aws-cdk/core:flag=true']);
    assert.deepEqual(cdkArguments, ['synth', '-c', '@aws-cdk/core:flag=true']);
  });
});
