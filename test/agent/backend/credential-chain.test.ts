import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

const CHAIN = new URL('../../../agent/backend/credential-chain.ts', import.meta.url);
const ASK = `const { createCredentialChain } = await import(${JSON.stringify(CHAIN.href)});
await (await createCredentialChain('eu-central-1'))().catch(({ message }) => console.log(message));`;

const HINT = 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role';

describe('a chain without credentials', () => {
  it('says what to set where nothing is configured, and nothing about what is not', () =>
    assert.equal(problemWith({}), `${HINT}; EC2 Instance Metadata Service access disabled`));

  it('names the profile that was asked for and is not there', () => {
    const problem = problemWith({ AWS_PROFILE: 'typo' });
    assert.match(problem, /profile: \[typo\]/);
    assert.doesNotMatch(problem, /AWS_PROFILE/);
  });

  it('names the web identity whose token is missing', () =>
    assert.match(
      problemWith({ AWS_WEB_IDENTITY_TOKEN_FILE: '/no/such/token', AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/x' }),
      /ENOENT.*token/,
    ));
});

function problemWith(env: NodeJS.ProcessEnv): string {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', ASK], {
    env: { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', ...env },
    encoding: 'utf8',
  });
  return stdout.trim();
}
