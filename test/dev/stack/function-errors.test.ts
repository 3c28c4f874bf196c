import assert from 'node:assert/strict';
import { it } from 'node:test';
import { functionErrors } from '../../../dev/stack/function-errors.ts';

it('the errors of functions are told once, until another one comes', () => {
  const told: string[] = [];
  const logged = functionErrors((error) => told.push(error));
  const error = (problem: string, requestId: number) =>
    logged(JSON.stringify({ level: 'ERROR', message: 'store failed', problem, requestId }));
  for (const problem of ['a', 'a', 'b', 'b', 'a']) error(problem, told.length);
  for (const line of ['no JSON', 'null', '{}', '{"level":"INFO","message":"x"}']) logged(line);
  assert.deepEqual(told, ['store failed: a', 'store failed: b', 'store failed: a']);
});
