import type { ExplainedMessage, ExplainedSubject, Explanation, Next } from '../../agent/admin/socket/protocol.ts';
import { askAgent } from '../agent-client/agent-client.ts';
import { type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { readSubjects } from '../options/arguments.ts';
import { printJson, printLine } from '../output/output.ts';
import { aligned } from '../output/table.ts';

export interface ExplainAtAgentOptions extends SocketOptions {
  readonly json?: true;
}

type Process = ExplainedSubject['processes'][number];

/** `haverdict explain --agent SUBJECT…`: prints what the running agent has cached, and what it would decide now. */
export async function explainAtAgent(subjects: readonly string[], options: ExplainAtAgentOptions): Promise<void> {
  const request = { command: 'explain', subjects: readSubjects(subjects) } as const;
  const explanation = await askAgent(await socketPath(options, process.env), request);
  if (options.json) return printJson(explanation);
  for (const line of explanationLines(explanation)) await printLine(line);
}

/** The answer as text, a paragraph per subject. */
export function explanationLines({ breaker, updates, subjects }: Explanation): string[] {
  return subjects.flatMap(({ subject, lookup, processes, messages }, index) => [
    ...(index === 0 ? [] : ['']),
    aligned([subject], []),
    ...row('looked up as', lookup === subject ? [] : [lookup]),
    ...processes.flatMap((one) => processLines(one, processes.length > 1)),
    ...row('breaker', breaker === 'closed' ? [] : [`${breaker}: the backend is not called`]),
    ...row('updates', updates === undefined ? [] : [updatesText(updates)]),
    ...row('messages', messages.length === 0 ? ['no message looks up this kind'] : messages.map(messageText)),
  ]);
}

function processLines(one: Process, isOneOfSeveral: boolean): string[] {
  return [
    ...row('process', isOneOfSeveral ? [String(one.pid)] : []),
    ...row('mirror', one.mirror === undefined ? [] : [mirrorText(one.mirror)]),
    ...row('cached', [cachedText(one.cached)]),
    ...row('now', [NEXT[one.next]]),
  ];
}

const NEXT: Readonly<Record<Next, string>> = {
  mirror: 'decided from the mirror',
  cache: 'decided from the cache',
  stale: 'decided by what was known (stale), because the backend cannot be called',
  lookup: 'the backend is called',
  policy: 'decided by policy',
};

function mirrorText({ isLive, action, reason, list, entry }: NonNullable<Process['mirror']>): string {
  const what = [action, ...(reason ? [`(${reason})`] : [])].join(' ');
  const from = list === undefined ? ['not listed'] : [what, `by ${entry ?? 'an entry'} of list ${list}`];
  return [...from, isLive ? 'live' : 'behind: for when the backend does not answer'].join(', ');
}

function cachedText(cached: Process['cached']): string {
  if (cached === undefined) return 'no';
  const { action, reason, list, entry, freshForSeconds, keptForSeconds } = cached;
  const what =
    action === undefined ? `the lookup failed (${reason})` : [action, ...(reason ? [`(${reason})`] : [])].join(' ');
  const from = list === undefined ? [] : [`by ${entry ?? 'an entry'} of list ${list}`];
  const fresh =
    freshForSeconds > 0 ? `fresh for ${seconds(freshForSeconds)}` : `stale for ${seconds(-freshForSeconds)}`;
  return [what, ...from, fresh, `kept for ${seconds(keptForSeconds)}`].join(', ');
}

function updatesText({ state, ageSeconds }: NonNullable<Explanation['updates']>): string {
  const proven =
    ageSeconds === null ? 'nothing proves that all changes are applied' : `proven up to ${ageSeconds.toFixed(1)} s ago`;
  return `${state}, ${proven}`;
}

function messageText({ message, onTrial, policy }: ExplainedMessage): string {
  const { action, reason, status } = policy;
  const does = status === undefined ? action : `${action} with ${status}`;
  return `${message}: ${does} if it cannot be looked up (${reason})${onTrial ? '; in shadow mode, not enforced' : ''}`;
}

function row(name: string, values: readonly string[]): string[] {
  return values.map((value, index) => aligned(['', index === 0 ? name : '', value], [2, 12]).trimEnd());
}

function seconds(count: number): string {
  return `${Math.max(0, Math.round(count))} s`;
}
