import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkLine } from '../../../functions/check/check-line.ts';

const facts = { lookups: 3, matches: 1, failures: 2, keys: 75, throttles: 4, badEntries: 5, tableMs: 6 };
const call = { functionName: 'check', epochMs: 1_773_342_238_000 };

describe('checkLine', () => {
  it('is a line in the embedded metric format, with one metric: each costs money by the month', () => {
    const metric = { Name: 'Failures', Unit: 'Count' };
    assert.deepEqual(checkLine(facts, 'request-1', call), {
      _aws: {
        Timestamp: 1_773_342_238_000,
        CloudWatchMetrics: [{ Namespace: 'haverdict', Dimensions: [['FunctionName']], Metrics: [metric] }],
      },
      ...{ FunctionName: 'check', Failures: 2 },
      ...{ lookups: 3, matches: 1, keys: 75, throttles: 4, tableMs: 6, badEntries: 5, requestId: 'request-1' },
    });
  });
});
