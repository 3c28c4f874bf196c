import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Item } from '../../../blocklist/store.ts';
import { stepBack } from '../../../cli/revert/step-back.ts';

const NOW = 1_900_000_000;
const subject = 'ip:203.0.113.7';
const deny: Item = { action: 'deny', createdBy: 'a@b', createdAt: '2026-01-01T00:00:00.000Z' };
const allow: Item = { ...deny, action: 'allow' };
const ended = (item: Item): Item => ({ ...item, expiresAt: NOW });
const inTable = (item: Item | undefined) => item && { subject, list: 'one', ...item };

describe('an edit is taken back', () => {
  /** Before and after the edit, now, and what that makes. */
  for (const [what, before, after, now, kind] of [
    ['an added entry is removed', undefined, deny, deny, 'remove'],
    ['a changed entry is as it was', allow, deny, deny, 'put'],
    ['a removed entry is there again', deny, undefined, undefined, 'put'],
    ['nothing is done twice', allow, deny, allow, 'none'],
    ['nor where the write never happened', undefined, deny, undefined, 'none'],
    ['what somebody changed since stays', undefined, deny, allow, 'keep'],
    ['what somebody removed since stays so', allow, deny, undefined, 'keep'],
    ['what somebody wrote since stays', deny, undefined, allow, 'keep'],
    ['an attribute typed since is a change', undefined, deny, { ...deny, ticket: { BOOL: true } }, 'keep'],
    ['an entry that had ended is not restored', ended(allow), deny, deny, 'remove'],
    ['an entry that ended since gives way to what was before', allow, ended(deny), undefined, 'put'],
    ['also while it is still in the table', allow, ended(deny), ended(deny), 'put'],
    ['two that have ended are nothing to do', ended(allow), ended(deny), undefined, 'none'],
  ] as const)
    it(what, () => {
      const edit = { subject, ...(before && { before }), ...(after && { after }) };
      const step = stepBack(edit, 'one', inTable(now), NOW);
      assert.equal(step.kind, kind);
      if (step.kind === 'put') assert.deepEqual(step.entry, inTable(before));
      if (step.kind === 'put' || step.kind === 'remove') assert.deepEqual(step.was, inTable(now));
    });

  it('but not where it could not be recorded', () => {
    assert.equal(stepBack({ subject, isIncomplete: true }, 'one', undefined, NOW).kind, 'keep');
  });
});
