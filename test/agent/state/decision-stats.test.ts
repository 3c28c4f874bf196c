import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../agent/decision/decision.ts';
import { DecisionStats } from '../../../agent/state/decision-stats.ts';
import { mergeTop, TopSubjects } from '../../../agent/state/top-subjects.ts';
import { HandClock } from '../../support/clock.ts';
import { Random } from '../../support/spop/random.ts';

const denyOf = (list: string, reason = 'abuse'): Decision => ({ action: 'deny', source: 'cache', list, reason });

describe('the stats', () => {
  it('counts decisions that are alike together, whatever object they are', () => {
    const stats = new DecisionStats(new HandClock());
    for (let time = 0; time < 3; time++) stats.counterOf('check-request', denyOf('manual')).count++;
    stats.counterOf('other-message', denyOf('manual')).count++;
    assert.deepEqual(
      stats.state.decisions.map(({ message, count }) => [message, count]),
      [
        ['check-request', 3],
        ['other-message', 1],
      ],
    );
  });

  it('counts by the reasons of the policy, and never by those of entries and scripts', () => {
    const stats = new DecisionStats(new HandClock());
    for (let ticket = 0; ticket < 500; ticket++)
      stats.counterOf('check-request', denyOf('manual', `${ticket}`)).count++;
    for (const source of ['cache', 'script', 'stale'] as const)
      stats.counterOf('check-request', { action: 'deny', source, reason: 'timeout' }).count++;
    stats.counterOf('check-request', { action: 'allow', source: 'policy', reason: 'timeout' }).count++;
    assert.deepEqual(
      stats.state.decisions.map(({ source, reason, list, count }) => [source, reason, list, count]),
      [
        ['cache', '', 'manual', 500],
        ['cache', '', '', 1],
        ['script', '', '', 1],
        ['stale', '', '', 1],
        ['policy', 'timeout', '', 1],
      ],
    );
  });

  it('counts by no more than 200 lists, however often the configuration has others, and all further ones as one', () => {
    const stats = new DecisionStats(new HandClock());
    for (let index = 0; index < 500; index++) stats.counterOf('check-request', denyOf(`list-${index}`)).count++;
    const { decisions } = stats.state;
    assert.equal(decisions.length, 201);
    assert.equal(decisions.find(({ list }) => list === 'other')?.count, 300);
  });

  it('names whoever was asked about beside the entry that matched, and last for each subject', () => {
    const stats = new DecisionStats(new HandClock());
    const network = { ...denyOf('manual'), entry: 'ip:203.0.113.0/24' };
    for (const client of ['ip:203.0.113.7', 'ip:203.0.113.9', undefined])
      stats.record('check-request', network, client, '');
    stats.record('check-request', { ...denyOf('manual'), ofAddress: true }, 'ip:192.0.2.1', '');
    stats.record('check-request', { action: 'deny', source: 'policy', reason: 'timeout' }, 'ip:192.0.2.2', '');
    assert.deepEqual(
      stats.state.recent.map(({ subject, client }) => [subject, client]),
      [
        ['ip:192.0.2.2', 'ip:192.0.2.2'],
        ['ip:192.0.2.1', 'ip:192.0.2.1'],
        ['ip:203.0.113.0/24', undefined],
        ['ip:203.0.113.0/24', 'ip:203.0.113.9'],
        ['ip:203.0.113.0/24', 'ip:203.0.113.7'],
      ],
    );
    assert.deepEqual(
      stats.state.top.map(({ subject, client, count }) => [subject, client, count]),
      [
        ['ip:203.0.113.0/24', 'ip:203.0.113.9', 3],
        ['ip:192.0.2.1', 'ip:192.0.2.1', 1],
      ],
    );
  });

  it('records at most 100 denies a second, the newest 50 to be seen', () => {
    const clock = new HandClock();
    const told: string[] = [];
    const stats = new DecisionStats(clock, ({ subject }) => told.push(subject));
    for (let index = 0; index < 150; index++)
      if (stats.hasRoom) stats.record('check-request', denyOf('manual'), `ip:203.0.113.${index}`, '');
    assert.equal(told.length, 100);
    const { recent } = stats.state;
    assert.deepEqual(
      [recent.length, recent[0]?.subject, recent[49]?.subject],
      [50, 'ip:203.0.113.99', 'ip:203.0.113.50'],
    );
    clock.advance(1000);
    assert.ok(stats.hasRoom);
  });

  it('shows the subject that is denied most among ever new ones', () => {
    const clock = new HandClock();
    const stats = new DecisionStats(clock);
    for (let index = 0; index < 20_000; index++) {
      if (index % 100 === 0) clock.advance(1000);
      const subject = index % 4 === 0 ? 'key:busy' : `key:${index}`;
      stats.record('check-request', { ...denyOf('manual'), entry: subject }, undefined, '');
    }
    const [first] = stats.state.top;
    assert.equal(first?.subject, 'key:busy');
    assert.ok((first?.count ?? 0) >= 5000);
  });

  it('shows what is denied most in the last five minutes, and of whom last', () => {
    const clock = new HandClock();
    const stats = new DecisionStats(clock);
    const deny = (entry: string, times: number, client: string) => {
      for (let time = 0; time < times; time++)
        stats.record('check-request', { ...denyOf('manual'), entry }, `ip:${client}`, '');
    };
    const shown = () => stats.state.top.map(({ subject, count, client }) => `${subject} ${count} ${client}`);
    deny('key:old', 9, '192.0.2.1');
    clock.advance(240_000);
    deny('key:old', 1, '192.0.2.2');
    deny('key:new', 2, '192.0.2.3');
    assert.deepEqual(shown(), ['key:old 10 ip:192.0.2.2', 'key:new 2 ip:192.0.2.3']);
    clock.advance(60_000);
    assert.deepEqual(shown(), ['key:new 2 ip:192.0.2.3', 'key:old 1 ip:192.0.2.2']);
    clock.advance(300_000);
    assert.deepEqual(shown(), []);
    assert.equal(stats.hits.entries.find(({ subject }) => subject === 'key:old')?.count, 10);
  });

  it('adds up the totals that the last minute is made of', () => {
    const stats = new DecisionStats(new HandClock());
    stats.counterOf('check-request', denyOf('manual')).count += 3;
    stats.counterOf('check-request', { action: 'allow', source: 'policy', reason: 'timeout' }).count += 2;
    stats.counterOf('check-request', { action: 'allow', source: 'cache' }).count += 5;
    assert.deepEqual(stats.totals, { decisions: 10, denied: 3, byPolicy: 2 });
  });

  describe('counts the denies of each entry', () => {
    const counted = (...subjects: string[]) => {
      const stats = new DecisionStats(new HandClock());
      for (const entry of subjects) {
        const decision = { ...denyOf('manual'), entry };
        stats.counterOf('check-request', decision).count++;
        if (stats.hasRoom) stats.record('check-request', decision, undefined, '');
      }
      return stats.hits;
    };

    it('exactly, as long as each deny is recorded', () => {
      const { entries, isComplete } = counted('key:a', 'key:b', 'key:a');
      assert.deepEqual(entries, [
        { subject: 'key:a', list: 'manual', count: 2 },
        { subject: 'key:b', list: 'manual', count: 1 },
      ]);
      assert.ok(isComplete);
    });

    it('and says so when some of a second were too many', () => {
      const { entries, isComplete } = counted(...Array<string>(150).fill('key:a'));
      assert.deepEqual([entries[0]?.count, isComplete], [100, false]);
    });

    it('at least so often, of more entries than it has room for', () => {
      const top = new TopSubjects();
      const truth = new Map<string, number>();
      const random = new Random(7);
      for (let index = 0; index < 60_000; index++) {
        const subject = `key:${Math.floor(20_000 * (random.below(1_000_000) / 1e6) ** 3)}`;
        truth.set(subject, (truth.get(subject) ?? 0) + 1);
        top.add(subject, 'feed', undefined);
      }
      assert.ok(!top.hasAll);
      assert.ok(top.hits.length <= 5000);
      for (const { subject, count } of top.hits) assert.ok(count <= (truth.get(subject) ?? 0), subject);
      for (const { subject, count } of mergeTop(top.counts)) assert.ok(count >= (truth.get(subject) ?? 0), subject);
      const [most] = [...truth].sort(([, a], [, b]) => b - a);
      assert.equal(mergeTop(top.counts)[0]?.subject, most?.[0]);
    });
  });
});
