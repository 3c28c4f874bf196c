import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliError } from '../../../cli/exit/cli-error.ts';
import { parseDuration } from '../../../cli/options/duration.ts';

describe('parseDuration', () => {
  const good: readonly (readonly [string, number])[] = [
    ['90s', 90],
    ['30m', 1800],
    ['24h', 86_400],
    ['7d', 604_800],
    ['2w', 1_209_600],
  ];
  for (const [text, seconds] of good) it(`reads ${text}`, () => assert.equal(parseDuration(text), seconds));

  for (const text of ['', '0s', '24', 'h', '1.5h', '-1h', '1 h', '1H', '1h30m', '1y', '36501d', '9999999999w'])
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseDuration(text),
        (error) => error instanceof CliError && error.exitCode === 2,
      );
    });
});
