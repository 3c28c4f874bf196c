import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { POLICY_STATUS } from '../../../contract/policy.ts';
import { agentsBackend } from '../../../haproxy/generate/agents-backend.ts';
import { frontendRules } from '../../../haproxy/generate/frontend.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import type { HaproxyVersion } from '../../../haproxy/versions.ts';
import { IDLE_LIMIT_MS } from '../../../spop/server/connection-limiter.ts';
import { settingsWith } from '../../support/settings.ts';

const OLD: readonly HaproxyVersion[] = ['2.4', '2.6', '3.0'];
const NEW: readonly HaproxyVersion[] = ['3.1', '3.2', '3.4', '3.5'];

describe('the wiring', () => {
  for (const version of OLD)
    it(`is a TCP backend with all three timeouts on ${version}`, () => {
      const settings = settingsWith({ haproxy: { prefix: 'haverdict', version } });
      assert.match(agentsBackend(settings), /^ {4}mode tcp$/m);
      assert.deepEqual(spoeFile(settings).match(/timeout \w+/g), [
        'timeout hello',
        'timeout idle',
        'timeout processing',
      ]);
      assert.match(spoeFile(settings), /no option async.*no option send-frag-payload/s);
    });

  for (const version of NEW)
    it(`is an SPOP backend without what ${version} ignores`, () => {
      const settings = settingsWith({ haproxy: { prefix: 'haverdict', version } });
      assert.match(agentsBackend(settings), /^ {4}mode spop$/m);
      assert.doesNotMatch(agentsBackend(settings), /idle/);
      assert.deepEqual(spoeFile(settings).match(/timeout \w+/g), ['timeout processing']);
      assert.doesNotMatch(spoeFile(settings), /no option/);
    });

  it('gives up connections to an agent that hangs, where HAProxy alone would not', () => {
    const backendOf = (version: HaproxyVersion) => agentsBackend(settingsWith({ haproxy: { version } }));
    for (const version of ['2.4', '2.6', '2.8'] as const)
      assert.match(backendOf(version), /on-marked-down shutdown-sessions$/m);
    for (const version of ['3.0', ...NEW] as const) assert.doesNotMatch(backendOf(version), /shutdown-sessions/);
  });

  it('gives HAProxy more time than the agent takes', () => {
    assert.match(spoeFile(settingsWith({ deadlineMs: 100 })), /timeout processing 120ms/);
  });

  it('keeps agent connections longer than HAProxy leaves them idle', () => {
    const seconds = (text: string, name: string) => Number(new RegExp(`timeout ${name} (\\d+)s`).exec(text)?.[1]);
    const settings = settingsWith({});
    assert.ok(seconds(agentsBackend(settings), 'server') > seconds(spoeFile(settings), 'idle'));
  });

  it('keeps agent connections idle for less time than the agent does', () => {
    for (const version of ['2.6', '3.2'] as const) {
      const [, seconds] = /timeout server (\d+)s/.exec(agentsBackend(settingsWith({ haproxy: { version } }))) ?? [];
      assert.ok(Number(seconds) * 1000 < IDLE_LIMIT_MS);
    }
  });

  it('names a socket inside the chroot as HAProxy sees it, and any other as it is', () => {
    const serverAt = (path: string, chroot?: string) => {
      const backend = agentsBackend(settingsWith({ listen: [{ type: 'unix', path }], haproxy: { chroot } }));
      return /server agent1 unix@(\S+)/.exec(backend)?.[1];
    };
    assert.equal(serverAt('/var/lib/haproxy/run/a.sock'), '/var/lib/haproxy/run/a.sock');
    assert.equal(serverAt('/var/lib/haproxy/run/a.sock', '/var/lib/haproxy'), '/run/a.sock');
    assert.equal(serverAt('/var/lib/haproxy2/a.sock', '/var/lib/haproxy'), '/var/lib/haproxy2/a.sock');
  });

  it('blocks what is unknown only where the default of the policy is closed, and with the status of the policy', () => {
    const rulesUnder = (policy: Parameters<typeof settingsWith>[0]['policy']) => {
      const settings = settingsWith({});
      const messages = settings.messages.map((message) => ({ ...message, ...(policy && { policy }) }));
      return frontendRules({ ...settings, messages });
    };
    const unknown = new RegExp(
      `deny_status ${POLICY_STATUS} if (\\{ .*error.* -m found|! \\{ .*action.* -m found)`,
      'g',
    );
    assert.equal(rulesUnder({ default: 'closed' }).match(unknown)?.length, 2);
    assert.equal(rulesUnder({ timeout: 'open', default: 'closed' }).match(unknown)?.length, 2);
    assert.equal(rulesUnder({ default: 'open' }).match(unknown), null);
    assert.equal(rulesUnder({ timeout: 'closed', default: 'open' }).match(unknown), null);
  });

  it('writes the path of the SPOE file as one word', () => {
    assert.match(
      frontendRules(settingsWith({}), '/etc/my "own" #1/a.cfg'),
      /config \/etc\/my\\ \\"own\\"\\ \\#1\/a\.cfg$/m,
    );
  });
});
