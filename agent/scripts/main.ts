// The process of the operator's module: loads it, calls its functions, and says what came of it.

import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { answerAll, Outbox } from './calls.ts';
import { failureOf, loadFailure } from './failure.ts';
import { functionsOf } from './functions.ts';
import type { Failure, FromRules, Start, ToRules } from './messages.ts';
import { Print } from './print.ts';
import type { Rule } from './rules.ts';
import { startSentinel } from './sentinel.ts';
import { SourceKeeper } from './sources.ts';

const NO_FILE: Failure = { problem: 'there is no such file' };

if (process.argv[1] === fileURLToPath(import.meta.url)) serve();

function serve(): void {
  const send = process.send?.bind(process) as (message: FromRules, done?: () => void) => void; // it is forked
  // Nobody else speaks here: what a module sent would be taken for ours.
  delete process.send;
  // The agent ends this process when it has ended itself; those are sent to a whole group, or all of a service.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  process.on('uncaughtException', (error) => send({ type: 'dying', ...failureOf(error) }, () => process.exit(1)));
  new Print((text) => send({ type: 'printed', text })).takeOver();
  startSentinel();
  const outbox = new Outbox(send);
  let rules: ReadonlyMap<string, Rule> = new Map();
  process.on('message', async (message: ToRules) => {
    if (message.type === 'ping') send({ type: 'pong' });
    else if (message.type === 'calls') answerAll(message.calls, rules, outbox);
    else rules = await load(message, send);
  });
}

async function load({ file, sources }: Start, tell: (message: FromRules) => void): Promise<ReadonlyMap<string, Rule>> {
  const keeper = new SourceKeeper(sources);
  try {
    const rules = functionsOf(await keeper.watch(() => import(pathToFileURL(file).href)));
    tell({ type: 'loaded', messages: [...rules.keys()], sources: keeper.sources });
    return rules;
  } catch (error) {
    tell({ type: 'unloadable', ...(existsSync(file) ? loadFailure(error, keeper.lastRead) : NO_FILE) });
    return new Map();
  }
}
