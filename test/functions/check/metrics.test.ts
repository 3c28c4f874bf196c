import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { METRICS, metricLine } from '../../../functions/check/metrics.ts';

const facts = { lookups: 3, matches: 1, failures: 2, keys: 75, throttles: 4, badEntries: 5, tableMs: 6 };
const call = { functionName: 'check', requestId: 'request-1', epochMs: 1_773_342_238_000 };

describe('metricLine', () => {
  it('is a line in the embedded metric format', () => {
    assert.deepEqual(metricLine(facts, call), {
      _aws: {
        Timestamp: 1_773_342_238_000,
        CloudWatchMetrics: [
          {
            Namespace: 'haverdict',
            Dimensions: [['FunctionName']],
            Metrics: [
              { Name: 'Lookups', Unit: 'Count' },
              { Name: 'Matches', Unit: 'Count' },
              { Name: 'Failures', Unit: 'Count' },
              { Name: 'Throttles', Unit: 'Count' },
              { Name: 'TableLatency', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
      FunctionName: 'check',
      Lookups: 3,
      Matches: 1,
      Failures: 2,
      Throttles: 4,
      TableLatency: 6,
      requestId: 'request-1',
      keys: 75,
      badEntries: 5,
    });
  });

  it('gives every metric that it declares a number, and no other field the name of one', () => {
    const line = metricLine(facts, call) as Record<string, unknown>; // the line is an object
    for (const name of Object.keys(METRICS)) assert.equal(typeof line[name], 'number', name);
  });
});
