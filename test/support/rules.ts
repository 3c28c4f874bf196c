import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../agent/decision/clock.ts';
import type { Decision } from '../../agent/decision/decision.ts';
import { decidedBy } from '../../agent/scripts/decided.ts';
import type { Failure } from '../../agent/scripts/messages.ts';
import { RuleProcess } from '../../agent/scripts/rule-process.ts';
import type { RuleGiven, RuleValue } from '../../agent/scripts/rules.ts';
import { temporaryFolder } from './config-file.ts';

/** A module of rules that goes with the test. */
export function rulesFile(t: TestContext, text: string, name = 'rules.mjs'): string {
  const file = join(temporaryFolder(t), name);
  writeFileSync(file, text);
  return file;
}

/** A process with this module, and what it says beside its answers. */
export async function startRules(t: TestContext, file: string, stuckMs = 1_000) {
  const printed: string[] = [];
  const died = Promise.withResolvers<Failure>();
  const events = { printed: (text: string) => printed.push(text), died: died.resolve };
  const rules = await RuleProcess.start({ file, stuckMs }, systemClock, events);
  t.after(() => rules.end());
  return { rules, printed, died: died.promise };
}

/** Calls the functions of a module: what is decided, `kept`, or what went wrong. */
export async function calledIn(t: TestContext, file: string) {
  const { rules } = await startRules(t, file);
  return (message: string, given: Readonly<Record<string, RuleValue>>, decision: RuleGiven, leftMs = 1_000) =>
    new Promise<Decision | string>((resolve) => {
      rules.call({ message, arguments: given, decision, leftMs }, (outcome) => {
        if (outcome === undefined) resolve('gone');
        else if (outcome.type === 'returned') resolve(decidedBy(outcome.returned));
        else if (outcome.type === 'failed') resolve([outcome.place, outcome.problem].filter(Boolean).join(': '));
        else resolve(outcome.type);
      });
    });
}
