import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../agent/decision/clock.ts';
import type { Decision } from '../../agent/decision/decision.ts';
import type { Failure } from '../../agent/scripts/ipc.ts';
import { ScriptProcess } from '../../agent/scripts/script-process.ts';
import type { ArgumentValue, ListedDecision } from '../../agent/scripts/script-types.ts';
import { validateDecision } from '../../agent/scripts/validate-decision.ts';
import { temporaryFolder } from './config-file.ts';

/** A script that is deleted after the test. */
export function scriptFile(t: TestContext, text: string, name = 'script.mjs'): string {
  const file = join(temporaryFolder(t), name);
  writeFileSync(file, text);
  return file;
}

/** A process with this script, and what it reports beside its outcomes. */
export async function startScript(t: TestContext, file: string, stuckMs = 1_000) {
  const output: string[] = [];
  const died = Promise.withResolvers<Failure>();
  const events = { output: (text: string) => output.push(text), died: died.resolve };
  const script = await ScriptProcess.start({ file, stuckMs }, systemClock, events);
  t.after(() => script.kill());
  return { script, output, died: died.promise };
}

/** Calls functions of a script; resolves with the decision, `kept`, or what went wrong. */
export async function calledIn(t: TestContext, file: string) {
  const { script } = await startScript(t, file);
  return (message: string, given: Readonly<Record<string, ArgumentValue>>, decision: ListedDecision, leftMs = 1_000) =>
    new Promise<Decision | string>((resolve) => {
      script.call({ message, arguments: given, decision, leftMs }, (outcome) => {
        if (outcome === undefined) resolve('gone');
        else if (outcome.type === 'returned') resolve(validateDecision(outcome.returned));
        else if (outcome.type === 'failed') resolve([outcome.place, outcome.problem].filter(Boolean).join(': '));
        else resolve(outcome.type);
      });
    });
}
