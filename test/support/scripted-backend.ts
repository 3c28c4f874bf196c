import type { Backend, Lookup } from '../../agent/decision/loader.ts';

interface Call {
  readonly subjects: readonly string[];
  answer(lookups: readonly Lookup[], ttlSeconds?: number): void;
  fail(error: unknown): void;
}

/** A backend whose every call waits for the test to answer it. */
export class ScriptedBackend implements Backend {
  readonly calls: Call[] = [];

  check(subjects: readonly string[]): ReturnType<Backend['check']> {
    return new Promise((resolve, reject) => {
      const answer = (lookups: readonly Lookup[], ttlSeconds = 60) => resolve({ lookups, ttlSeconds });
      this.calls.push({ subjects, answer, fail: reject });
    });
  }

  /** The call that a test knows to be there. */
  call(index: number): Call {
    const call = this.calls[index];
    if (call === undefined) throw new Error(`only ${this.calls.length} calls so far`);
    return call;
  }
}
