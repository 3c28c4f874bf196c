import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { execute } from '../../../../agent/admin/socket/execute.ts';
import type { Explanation } from '../../../../agent/admin/socket/protocol.ts';
import type { BackendState } from '../../../../agent/state/state.ts';
import { ScriptedControl } from '../../../support/admin-socket.ts';
import { agentState } from '../../../support/agent-state.ts';
import { settingsWith } from '../../../support/settings.ts';

const config = settingsWith({
  ipv6Prefix: 64,
  messages: [
    { name: 'check-request', policy: { default: 'open' }, subjects: [{ kind: 'ip', expression: 'src' }] },
    {
      name: 'check-login',
      policy: { default: 'open', breaker_open: 'closed' },
      shadow: true,
      subjects: [
        { kind: 'ip', expression: 'src' },
        { kind: 'host', expression: 'hdr(host)' },
      ],
    },
  ],
});

function control(breaker: BackendState['breaker'] = 'closed') {
  const scripted = new ScriptedControl();
  const state = agentState({ config });
  scripted.next = { ...state, backend: { ...state.backend, breaker } };
  return scripted;
}

async function explained(scripted: ScriptedControl, subject: string) {
  const { subjects } = (await execute({ command: 'explain', subjects: [subject] }, scripted)) as Explanation;
  const [first] = subjects;
  assert.ok(first !== undefined);
  return first;
}

describe('explain on the admin socket', () => {
  it('says what is looked up, what is known of it, and which messages ask', async () => {
    const scripted = control();
    const cached = {
      action: 'deny',
      list: 'manual',
      entry: 'ip:2001:db8::/32',
      freshForSeconds: 9,
      keptForSeconds: 99,
    } as const;
    scripted.known = { 'ip:2001:db8:0:5::/64': cached };
    assert.deepEqual(await explained(scripted, 'ip:2001:db8:0:5::1'), {
      subject: 'ip:2001:db8:0:5::1',
      lookup: 'ip:2001:db8:0:5::/64',
      processes: [{ pid: 4711, cached, next: 'cache' }],
      messages: [
        { message: 'check-request', onTrial: false, policy: { reason: 'backend_error', action: 'allow' } },
        { message: 'check-login', onTrial: true, policy: { reason: 'backend_error', action: 'allow' } },
      ],
    });
  });

  it('says what each policy does while the breaker is open', async () => {
    const { messages, processes } = await explained(control('open'), 'host:shop.example');
    assert.deepEqual(messages, [
      { message: 'check-login', onTrial: true, policy: { reason: 'breaker_open', action: 'deny', status: 503 } },
    ]);
    assert.equal(processes[0]?.next, 'policy');
  });

  const cases = [
    { name: 'asks what nobody knows', cached: undefined, closed: 'lookup', open: 'policy' },
    {
      name: 'uses what is fresh',
      cached: { action: 'deny', freshForSeconds: 1, keptForSeconds: 2 },
      closed: 'cache',
      open: 'cache',
    },
    {
      name: 'asks again for what is stale',
      cached: { action: 'deny', freshForSeconds: -1, keptForSeconds: 2 },
      closed: 'lookup',
      open: 'stale',
    },
    {
      name: 'remembers that a lookup failed',
      cached: { reason: 'timeout', freshForSeconds: 1, keptForSeconds: 1 },
      closed: 'policy',
      open: 'policy',
    },
    {
      name: 'forgets that a lookup failed',
      cached: { reason: 'timeout', freshForSeconds: 0, keptForSeconds: 0 },
      closed: 'lookup',
      open: 'policy',
    },
    {
      name: 'believes a mirror that is live before anything else',
      mirror: { isLive: true, action: 'allow' },
      cached: { action: 'deny', freshForSeconds: 1, keptForSeconds: 2 },
      closed: 'mirror',
      open: 'mirror',
    },
    {
      name: 'asks while the mirror is behind, and believes it where it cannot',
      mirror: { isLive: false, action: 'deny', list: 'manual' },
      cached: undefined,
      closed: 'lookup',
      open: 'stale',
    },
    {
      name: 'believes the mirror while it remembers that a lookup failed',
      mirror: { isLive: false, action: 'deny', list: 'manual' },
      cached: { reason: 'timeout', freshForSeconds: 1, keptForSeconds: 1 },
      closed: 'stale',
      open: 'stale',
    },
  ] as const;
  for (const { name, cached, closed, open, ...more } of cases) {
    it(name, async () => {
      for (const breaker of ['closed', 'open'] as const) {
        const scripted = control(breaker);
        scripted.mirror = 'mirror' in more ? more.mirror : undefined;
        scripted.known = cached === undefined ? {} : { 'ip:203.0.113.7': cached };
        assert.equal((await explained(scripted, 'ip:203.0.113.7')).processes[0]?.next, { closed, open }[breaker]);
      }
    });
  }
});

describe('flush on the admin socket', () => {
  it('forgets what the subjects are looked up as, and names those that nobody knew', async () => {
    const scripted = control();
    scripted.known = { 'ip:2001:db8:0:5::/64': { action: 'allow', freshForSeconds: 1, keptForSeconds: 1 } };
    const subjects = ['ip:2001:db8:0:5::1', 'ip:2001:db8:0:5::2', 'ip:203.0.113.7'];
    assert.deepEqual(await execute({ command: 'flush', subjects }, scripted), {
      forgotten: 1,
      unknown: ['ip:203.0.113.7'],
    });
    assert.deepEqual(scripted.told, ['flush ip:2001:db8:0:5::/64', 'flush ip:203.0.113.7']);
  });

  it('refuses a network, which is never looked up, before anything is forgotten', async () => {
    const scripted = control();
    const subjects = ['ip:203.0.113.7', 'ip:203.0.113.0/24'];
    await assert.rejects(execute({ command: 'flush', subjects }, scripted), {
      name: 'RequestError',
      message:
        '"203.0.113.0/24" is a network, and the agent looks up clients: write the address of one, or flush everything',
    });
    assert.deepEqual(scripted.told, []);
    await execute({ command: 'flush', subjects: ['ip:2001:db8:0:5::/64'] }, scripted);
    assert.deepEqual(scripted.told, ['flush ip:2001:db8:0:5::/64']);
  });
});

describe('reload on the admin socket', () => {
  it('tells why the old configuration stays', async () => {
    const scripted = control();
    scripted.reloaded = { problem: 'haverdict.yaml:3: policy must be open or closed' };
    await assert.rejects(execute({ command: 'reload' }, scripted), {
      name: 'RequestError',
      message: 'the previous configuration stays in force: haverdict.yaml:3: policy must be open or closed',
    });
  });

  it('names the settings that are applied after a restart', async () => {
    const scripted = control();
    scripted.reloaded = { needsRestart: ['admin'] };
    assert.deepEqual(await execute({ command: 'reload' }, scripted), { reloaded: true, needsRestart: ['admin'] });
  });
});
