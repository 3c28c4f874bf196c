import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Explanation } from '../../../agent/admin/socket/protocol.ts';
import { explanationLines } from '../../../cli/explain/agent-view.ts';

const PID = 4711;
const MESSAGES = [
  { message: 'check-request', onTrial: false, policy: { reason: 'backend_error', action: 'allow' } },
  { message: 'check-login', onTrial: true, policy: { reason: 'backend_error', action: 'deny', status: 503 } },
] as const;

describe('what the agent says of subjects, for people', () => {
  it('is a block for each, with what is cached and what comes next', () => {
    const cached = {
      action: 'deny',
      reason: 'abuse',
      list: 'manual',
      entry: 'ip:203.0.113.0/24',
      freshForSeconds: 41.6,
      keptForSeconds: 641.6,
    } as const;
    const explanation: Explanation = {
      breaker: 'closed',
      subjects: [
        {
          subject: 'ip:203.0.113.7',
          lookup: 'ip:203.0.113.7',
          processes: [{ pid: PID, cached, next: 'cache' }],
          messages: MESSAGES,
        },
        {
          subject: 'ip:2001:db8::1',
          lookup: 'ip:2001:db8::/64',
          processes: [{ pid: PID, next: 'lookup' }],
          messages: [],
        },
      ],
    };
    assert.deepEqual(explanationLines(explanation), [
      'ip:203.0.113.7',
      '    cached        deny (abuse), by ip:203.0.113.0/24 of list manual, fresh for 42 s, kept for 642 s',
      '    now           decided from the cache',
      '    messages      check-request: allow if it cannot be looked up (backend_error)',
      '                  check-login: deny with 503 if it cannot be looked up (backend_error); in shadow mode, not enforced',
      '',
      'ip:2001:db8::1',
      '    looked up as  ip:2001:db8::/64',
      '    cached        no',
      '    now           the backend is called',
      '    messages      no message looks up this kind',
    ]);
  });

  it('names the processes where there are several, and a breaker that is not closed', () => {
    const cached = { action: 'allow', freshForSeconds: -5, keptForSeconds: 595 } as const;
    const failed = { reason: 'timeout', freshForSeconds: 1, keptForSeconds: 1 } as const;
    const processes = [
      { pid: 1, cached, next: 'stale' },
      { pid: 2, mirror: { isLive: false, action: 'allow' }, cached: failed, next: 'stale' },
      { pid: 3, mirror: { isLive: true, action: 'deny', list: 'manual', entry: 'key:a' }, next: 'mirror' },
    ] as const;
    const subject = { subject: 'key:a', lookup: 'key:a', processes, messages: [] };
    const updates = { state: 'live', ageSeconds: 0.84 } as const;
    assert.deepEqual(explanationLines({ breaker: 'open', updates, subjects: [subject] }).slice(1, -1), [
      '    process       1',
      '    cached        allow, stale for 5 s, kept for 595 s',
      '    now           decided by what was known (stale), because the backend cannot be called',
      '    process       2',
      '    mirror        not listed, behind: for when the backend does not answer',
      '    cached        the lookup failed (timeout), fresh for 1 s, kept for 1 s',
      '    now           decided by what was known (stale), because the backend cannot be called',
      '    process       3',
      '    mirror        deny, by key:a of list manual, live',
      '    cached        no',
      '    now           decided from the mirror',
      '    breaker       open: the backend is not called',
      '    updates       live, proven up to 0.8 s ago',
    ]);
  });

  it('lets no text of the table steer the terminal', () => {
    const text = '\u001b[2J\u202e\n';
    const cached = {
      action: 'deny',
      reason: text,
      list: text,
      entry: text,
      freshForSeconds: 1,
      keptForSeconds: 1,
    } as const;
    const subject = {
      subject: `key:${text}`,
      lookup: text,
      processes: [{ pid: PID, cached, next: 'cache' } as const],
      messages: [],
    };
    for (const line of explanationLines({ breaker: 'closed', subjects: [subject] }))
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});
