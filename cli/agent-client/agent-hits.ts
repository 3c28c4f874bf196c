import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { Results } from '../../agent/admin/socket/protocol.ts';
import { printable } from '../../contract/printable.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { askAgent, wholeText } from './agent-client.ts';

/** How many requests an entry denied, as several agents have counted. */
export interface EntryCount {
  readonly count: number;
  /** Whether no deny is missing in `count`. */
  readonly isComplete: boolean;
  /** The start of the agent that started last: each counts from its own. */
  readonly since: string;
}

const LIMIT_MS = 5_000;
const ADDRESS = /^(?:http:\/\/|tcp:\/\/)?(?<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?<port>\d{1,5})\/?$/;

/** One agent, as it is typed: its `admin.listen` or the path of its `admin.socket`. */
export type AgentAddress =
  | { readonly socket: string }
  | {
      readonly name: string;
      readonly at: { readonly socketPath: string } | { readonly host: string; readonly port: number };
    };

export function readAgents(text: string): AgentAddress[] {
  return text.split(',').map((one) => readAgent(one.trim()));
}

/** Asks every agent; rejects if one cannot be asked, since the counts would be too low. */
export async function askHits(agents: readonly AgentAddress[]): Promise<(subject: string, list: string) => EntryCount> {
  const told = await Promise.all(
    agents.map((agent) => ('socket' in agent ? askAgent(agent.socket, { command: 'hits' }) : askOverHttp(agent))),
  );
  const counts = new Map<string, number>();
  for (const { subject, list, count } of told.flatMap(({ entries }) => entries)) {
    const key = `${list} ${subject}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  const isComplete = told.every((one) => one.isComplete);
  const since = new Date(Math.max(...told.map(({ sinceMs }) => sinceMs))).toISOString();
  return (subject, list) => ({ count: counts.get(`${list} ${redactedSubject(subject)}`) ?? 0, isComplete, since });
}

function readAgent(text: string): AgentAddress {
  if (text.startsWith('/')) return { socket: text };
  if (text.startsWith('unix:/')) return { name: text, at: { socketPath: text.slice('unix:'.length) } };
  const { host, port } = ADDRESS.exec(text)?.groups ?? {};
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535)
    return { name: `${host}:${port}`, at: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) } };
  throw usageError(
    `--agents "${text}" is no address of an agent: write its admin.listen, like 127.0.0.1:9101, or the path of its admin.socket`,
  );
}

async function askOverHttp({ name, at }: Exclude<AgentAddress, { socket: string }>): Promise<Results['hits']> {
  const failed = (problem: string, cause?: unknown) =>
    new CliError(EXIT.failed, `agent ${printable(name)}: ${problem}`, { cause });
  try {
    const request = get({ ...at, path: '/hits.json', signal: AbortSignal.timeout(LIMIT_MS), agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await wholeText(response);
    if (response.statusCode === 200) {
      const hits = parseHits(body);
      if (hits !== undefined) return hits;
    }
    throw failed(
      response.statusCode === 421
        ? printable(body.trim(), 200)
        : `answers ${response.statusCode} without counts: is this the admin.listen of an agent of this release?`,
    );
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, name: kind, message } = error as NodeJS.ErrnoException; // of http
    if (code === 'ECONNREFUSED' || code === 'ENOENT')
      throw failed('connection refused: is it running with this admin.listen?', error);
    throw failed(kind === 'TimeoutError' ? `no answer within ${LIMIT_MS / 1000} s` : printable(message, 200), error);
  }
}

function parseHits(text: string): Results['hits'] | undefined {
  try {
    const { sinceMs, isComplete, entries } = JSON.parse(text) ?? {};
    if (!Number.isSafeInteger(sinceMs) || typeof isComplete !== 'boolean' || !Array.isArray(entries)) return undefined;
    const areCounts = entries.every(
      (one) => typeof one?.subject === 'string' && typeof one.list === 'string' && Number.isSafeInteger(one.count),
    );
    return areCounts ? { sinceMs, isComplete, entries } : undefined;
  } catch {
    return undefined;
  }
}
