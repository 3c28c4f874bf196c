// The script process: loads the script, calls its functions and reports the outcomes to the agent.

import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Failure, FromChild, LoadRequest, ToChild } from '../ipc.ts';
import type { ScriptFunction } from '../script-types.ts';
import { callFunctions, OutcomeQueue } from './call-functions.ts';
import { CapturedOutput } from './captured-output.ts';
import { describeError, describeLoadError } from './describe-error.ts';
import { startMemoryGuard } from './memory-guard.ts';
import { SourceRecorder } from './module-sources.ts';

const NO_FILE: Failure = { problem: 'no such file' };

if (process.argv[1] === fileURLToPath(import.meta.url)) serve();

function serve(): void {
  const send = process.send?.bind(process) as (message: FromChild, done?: () => void) => void; // it is forked
  // the script must not send messages: the agent would take them for ours
  delete process.send;
  // these reach the whole process group or service; the agent kills this process when it has finished itself
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  process.on('uncaughtException', (error) => send({ type: 'crashed', ...describeError(error) }, () => process.exit(1)));
  new CapturedOutput((text) => send({ type: 'output', text })).install();
  startMemoryGuard();
  const outcomes = new OutcomeQueue(send);
  let functions: ReadonlyMap<string, ScriptFunction> = new Map();
  process.on('message', async (message: ToChild) => {
    if (message.type === 'ping') send({ type: 'pong' });
    else if (message.type === 'calls') callFunctions(message.calls, functions, outcomes);
    else functions = await load(message, send);
  });
}

async function load(
  { file, sources }: LoadRequest,
  send: (message: FromChild) => void,
): Promise<ReadonlyMap<string, ScriptFunction>> {
  const recorder = new SourceRecorder(sources);
  try {
    const functions = functionsOf(await recorder.record(() => import(pathToFileURL(file).href)));
    send({ type: 'loaded', messages: [...functions.keys()], sources: recorder.sources });
    return functions;
  } catch (error) {
    send({ type: 'load-failed', ...(existsSync(file) ? describeLoadError(error, recorder.lastRead) : NO_FILE) });
    return new Map();
  }
}

/** The functions of a script by message. Throws a `TypeError` that says what is wrong. */
function functionsOf(module: unknown): ReadonlyMap<string, ScriptFunction> {
  const functions = (module as { readonly default?: unknown }).default; // a module is always an object
  if (typeof functions !== 'object' || functions === null || Array.isArray(functions))
    throw new TypeError('the default export must be an object with a function for each message');
  const all = Object.entries(functions);
  if (all.length === 0) throw new TypeError('the default export has no functions');
  for (const [name, value] of all) if (typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  return new Map(all);
}
