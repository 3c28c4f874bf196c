import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { type Decision, decisionOf, LookupError } from '../../../agent/decision/decision.ts';
import { Engine } from '../../../agent/decision/engine.ts';
import { Loader } from '../../../agent/decision/loader.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import type { MirrorAnswers } from '../../../agent/decision/mirror-answers.ts';
import type { Entry } from '../../../contract/check.ts';
import { HandClock } from '../../support/clock.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled } from '../../support/spop/conversation.ts';

const DEADLINE_MS = 40;
const SUBJECTS = { address: 'ip:192.0.2.1', text: 'host:a.example' } as const;

/** What each of them says: `deny`, that nothing is listed, or nothing. */
const SAYS = ['deny', 'none', 'nothing'] as const;
type Says = (typeof SAYS)[number];
/** What becomes of a call. */
const CALLS = ['deny', 'none', 'fails', 'is late', 'is refused'] as const;
type Call = (typeof CALLS)[number];

interface Case {
  readonly live: Says;
  readonly stale: Says;
  /** A verdict that is past its lifetime, and kept. */
  readonly cached: Says;
  readonly call: Call;
}

/** The rule: live, then the function; where it says nothing, a deny that it said earlier, the mirror, the cache, the policy. */
function expectedOf({ live, stale, cached, call }: Case): string {
  if (live !== 'nothing') return `${live} mirror`;
  if (call === 'deny' || call === 'none') return `${call} backend`;
  if (cached === 'deny') return 'deny stale';
  if (stale !== 'nothing') return `${stale} stale`;
  return cached === 'none' ? 'none stale' : 'none policy';
}

const CASES = SAYS.flatMap((live) =>
  SAYS.flatMap((stale) => SAYS.flatMap((cached) => CALLS.map((call): Case => ({ live, stale, cached, call })))),
);

const entryOf = (subject: string): Entry => ({ subject, list: 'manual', action: 'deny' });

async function decided(subject: string, { live, stale, cached, call }: Case): Promise<{ said: string; calls: number }> {
  const clock = new HandClock();
  const cache = new VerdictCache(
    { maxEntries: 100, allowTtlSeconds: 1, denyTtlSeconds: 1, policyTtlSeconds: 1 },
    { ifErrorSeconds: 600, revalidateSeconds: 0 },
    clock,
  );
  const backend = new ScriptedBackend();
  const loader = new Loader(backend, cache, clock, {
    ...{ maxConcurrent: 1, maxCallsPerSecond: call === 'is refused' ? 0.001 : 1000, deadlineMs: DEADLINE_MS },
    batch: { windowMs: 1, maxSubjects: 1 },
  });
  const of = (says: Says, source: Decision['source']) =>
    says === 'nothing' ? undefined : decisionOf(says === 'deny' ? entryOf(subject) : null, source);
  const mirror: MirrorAnswers = {
    liveAddress: () => of(live, 'mirror'),
    live: () => of(live, 'mirror'),
    stale: () => of(stale, 'stale'),
    combined: (_, answered) => answered,
  };
  const engine = new Engine({ cache, loader, clock, mirror }, DEADLINE_MS);
  const asked = LookupSubject.parse(subject);
  if (cached !== 'nothing') cache.keepVerdict(asked, cached === 'deny' ? entryOf(subject) : null, 3600);
  clock.advance(2000);
  if (call === 'is refused') loader.load(LookupSubject.parse('ip:203.0.113.1'), () => {}); // which takes the last of the budget
  const question = {
    policy: { default: 'open' } as const,
    address: asked.address ?? new Address(),
    texts: asked.address ? [] : [subject],
    ...{ addressAt: 0, oddAt: -1, problem: undefined },
  };
  const answer = engine.decide(question, clock.nowMs());
  await settled();
  const made = backend.calls.find(({ subjects }) => subjects.includes(subject));
  if (made !== undefined) {
    if (call === 'deny' || call === 'none') made.answer([{ entry: call === 'deny' ? entryOf(subject) : null }]);
    else if (call === 'fails') made.fail(new LookupError('backend_error', 'no'));
  }
  await settled();
  clock.advance(DEADLINE_MS);
  const { action, source } = await answer;
  return { said: `${action === 'deny' ? 'deny' : 'none'} ${source}`, calls: made === undefined ? 0 : 1 };
}

describe('a question to an agent with a mirror', () => {
  for (const [kind, subject] of Object.entries(SUBJECTS))
    it(`is decided by the first that knows, about ${kind}`, async () => {
      for (const one of CASES) {
        const { said, calls } = await decided(subject, one);
        assert.equal(said, expectedOf(one), JSON.stringify(one));
        if (one.live !== 'nothing') assert.equal(calls, 0, 'a live mirror needs no call');
      }
    });
});
