import { CHECKS } from './checks.ts';
import { CheckFailed } from './expect.ts';
import type { CheckOptions, Target } from './target.ts';

export interface Result {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** The details, or why it failed or was skipped, in one line. */
  readonly why: string;
}

/** Runs all checks in order; skips the rest if the backend is not reachable. */
export async function* runChecks(target: Target, asked: CheckOptions): AsyncGenerator<Result> {
  let reachable = true;
  for (const [name, check] of Object.entries(CHECKS)) {
    if (!reachable) {
      yield { name, state: 'skipped', why: 'the backend is not reachable' };
      continue;
    }
    const result = await outcomeOf(name, () => check(target, asked));
    if (name === 'reachable') reachable = result.state === 'ok';
    yield result;
  }
}

/** Runs one check. */
export async function outcomeOf(name: string, check: () => ReturnType<(typeof CHECKS)[string]>): Promise<Result> {
  try {
    const seen = await check();
    return typeof seen === 'string' ? { name, state: 'ok', why: seen } : { name, state: 'skipped', why: seen.skipped };
  } catch (error) {
    if (error instanceof CheckFailed) return { name, state: 'failed', why: error.message };
    return { name, state: 'failed', why: `no answer: ${causeOf(error)}` };
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'timeout';
  const { code } = error as Error & { code?: string }; // system errors have one
  return code === undefined || code.startsWith('UND_ERR') ? error.message : code;
}
