import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DegradationDetector } from '../../agent/decision/degradation-detector.ts';
import { NO_MIRROR } from '../../agent/decision/mirror-answers.ts';
import { openFirst } from '../../agent/first-generation.ts';
import { FollowedUpdates } from '../../agent/followed-updates.ts';
import { createLog } from '../../agent/log.ts';
import { LogOutput } from '../../agent/log-output.ts';
import { ReferenceIds } from '../../agent/server/reference-id.ts';
import { DecisionStats } from '../../agent/state/decision-stats.ts';
import { ProcessMetrics } from '../../agent/state/process-metrics.ts';
import { HandClock } from '../support/clock.ts';
import { settingsWith } from '../support/settings.ts';

it('a start whose script cannot be used leaves nothing open', async () => {
  const clock = new HandClock();
  const log = createLog('error', new LogOutput(2));
  const metrics = new ProcessMetrics();
  const degradation = new DegradationDetector(clock, { degraded() {}, recovered() {} });
  const updates = new FollowedUpdates(() => assert.fail('there is none'), { log, clock, metrics });
  metrics.watchSeconds(clock, () => ({}) as never);
  degradation.watch({ maxPolicyShare: 0.5, isBackendDown: () => false });
  assert.ok(clock.timers > 0);
  const stats = new DecisionStats(clock);
  const shared = { log, clock, metrics, stats, references: new ReferenceIds(), degradation, mirror: NO_MIRROR };
  const settings = settingsWith({ script: '/no-such-folder/script.mjs' });
  await assert.rejects(openFirst(settings, updates, shared), /no-such-folder/);
  assert.equal(clock.timers, 0);
});
