import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { startCredentialServer } from '../../../dev/local-cloud/credential-server.ts';
import { CredentialStore } from '../../../dev/local-cloud/credentials.ts';

describe('the credentials of a profile', () => {
  it('reach the SDK of another process, new ones each time', async (t) => {
    const { store, server } = await started(t);
    const [first, second] = [await asked(server.environmentOf('agent')), await asked(server.environmentOf('agent'))];
    assert.notEqual(first.accessKeyId, second.accessKeyId);
    const issued = store.find(first.accessKeyId);
    assert.deepEqual([issued?.secretAccessKey, issued?.sessionToken], [first.secretAccessKey, first.sessionToken]);
    assert.equal(issued?.source, 'agent');
    assert.equal(Date.parse(first.expiration), issued?.expiresAtMs);
  });

  it('win over those in the environment of whoever runs it', async (t) => {
    const { store, server } = await started(t);
    const own = { AWS_ACCESS_KEY_ID: 'AKIAOWN', AWS_SECRET_ACCESS_KEY: 'own' };
    const { accessKeyId } = await asked({ ...own, ...server.environmentOf('agent') });
    assert.ok(store.find(accessKeyId));
  });

  it('are not there for other profiles', async (t) => {
    const { server } = await started(t);
    await assert.rejects(asked(server.environmentOf('nobody')));
  });
});

async function started(t: TestContext) {
  const store = new CredentialStore();
  const server = await startCredentialServer({
    region: 'eu-west-1',
    profiles: ['agent'],
    issue: (profile) => store.issue(profile),
  });
  t.after(() => server.close());
  return { store, server };
}

/** What the usual chain of the SDK finds in a process with these variables. */
async function asked(env: Record<string, string>) {
  const script = `import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
    process.stdout.write(JSON.stringify(await fromNodeProviderChain()()));`;
  const options = {
    env: { PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    cwd: import.meta.dirname,
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  return JSON.parse(stdout);
}
