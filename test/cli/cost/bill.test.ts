import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { billFor, total } from '../../../cli/cost/bill.ts';
import type { Prices } from '../../../cli/cost/prices.ts';

const prices: Prices = {
  ...{ date: '2026-11-22', region: 'us-east-1', source: 'a test' },
  ...{ lambdaMillionRequests: 0.2, lambdaGbSecond: 0.0000133334 },
  ...{ dynamodbMillionReadUnits: 0.125, dynamodbMillionWriteUnits: 0.625 },
  ...{ logsGb: 0.5, metricMonth: 0.3, alarmMetricMonth: 0.1, dashboardMonth: 3, egressGb: 0.09 },
};
const size = { memoryMb: 512, durationMs: 10, logBytes: 600, egressBytes: 700 };
/** 50,000 entries that are imported every hour. */
const fixed = { writes: 50_000 * 730, metrics: 5, alarmMetrics: 4, dashboards: 1 };

describe('billFor', () => {
  it('is what a person works out on paper', () => {
    // 1,000,000 calls of 10 ms in half a GB: 5,000 GB-seconds. 25 keys each at half a unit: 12,500,000 units.
    // 36,500,000 entries, each in the table and in its index. 600 MB of logs, 700 MB out, five metrics.
    const expected = [
      ['Lambda calls', 1_000_000, 0.2],
      ['Lambda time', 5000, 0.066667],
      ['DynamoDB reads', 12_500_000, 1.5625],
      ['DynamoDB writes', 73_000_000, 45.625],
      ['CloudWatch logs', 0.6, 0.3],
      ['CloudWatch metrics', 5, 1.5],
      ['CloudWatch alarms', 4, 0.4],
      ['CloudWatch dashboard', 1, 3],
      ['Data out', 0.7, 0.063],
    ] as const;
    const items = billFor({ calls: 1_000_000, keys: 25_000_000 }, size, fixed, prices);
    items.forEach(({ name, amount, usd }, index) => {
      const [expectedName, expectedAmount, expectedUsd] = expected[index] ?? [];
      assert.equal(name, expectedName);
      assertNear(amount, expectedAmount ?? Number.NaN);
      assertNear(usd, expectedUsd ?? Number.NaN);
    });
    assert.equal(items.length, expected.length);
    assertNear(total(items), 52.717167);
  });

  it('leaves of no traffic only what is billed by the month', () => {
    const items = billFor({ calls: 0, keys: 0 }, size, { ...fixed, writes: 0 }, prices);
    assert.deepEqual(
      items.filter(({ usd }) => usd > 0).map(({ name, usd }) => [name, usd]),
      [
        ['CloudWatch metrics', 1.5],
        ['CloudWatch alarms', 0.4],
        ['CloudWatch dashboard', 3],
      ],
    );
  });
});

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);
}
