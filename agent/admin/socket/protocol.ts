import { LOG_LEVELS } from '../../../config/schema.ts';
import type { LogLevel } from '../../../config/settings.ts';
import type { Action } from '../../../contract/actions.ts';
import type { Reason } from '../../../contract/policy.ts';
import { formatSubject, parseSubject, type Subject, SubjectError } from '../../../contract/subject.ts';
import type { CachedVerdict } from '../../state/agent-control.ts';
import type { AgentState, BackendState, Hits, UpdatesState } from '../../state/state.ts';

/**
 * The protocol of the admin socket: JSON objects, one a line. Requests are answered in order, each with one line:
 * `{"version":1,"command":"flush","subjects":["ip:203.0.113.7"]}`, then
 * `{"version":1,"result":{"forgotten":1,"unknown":[]}}` or `{"version":1,"error":"…"}`.
 */
export const PROTOCOL_VERSION = 1;
export const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_SUBJECTS = 100;

/** A request. Subjects are parsed, and answered in canonical form, with secrets as digests. */
export type Request =
  | { readonly command: 'state' }
  | { readonly command: 'hits' }
  | { readonly command: 'explain'; readonly subjects: readonly string[] }
  | { readonly command: 'flush'; readonly subjects: readonly string[] }
  | { readonly command: 'flush'; readonly all: true }
  | { readonly command: 'log-level'; readonly level: LogLevel }
  | { readonly command: 'reload' };

/** The results by command. */
export interface Results {
  readonly state: AgentState;
  readonly hits: Hits;
  readonly explain: Explanation;
  readonly flush: Flushed;
  /** The next reload resets the level to that of the configuration. */
  readonly 'log-level': { readonly level: LogLevel; readonly until: 'reload' };
  /** With the changed settings that are applied only when the agent starts. */
  readonly reload: { readonly reloaded: true; readonly needsRestart: readonly string[] };
}

export interface Flushed {
  /** The number of verdicts removed from all caches. */
  readonly forgotten: number;
  /** The subjects that were in no cache, as they are looked up. */
  readonly unknown: readonly string[];
}

export interface Explanation {
  /** The worst of all processes. */
  readonly breaker: BackendState['breaker'];
  /** Whether all changes are proven to be applied; absent where none are followed. */
  readonly updates?: Pick<UpdatesState, 'state' | 'ageSeconds'>;
  readonly subjects: readonly ExplainedSubject[];
}

export interface ExplainedSubject {
  /** In canonical form. */
  readonly subject: string;
  /** The subject that is looked up: itself, or the network of an IPv6 address (`ipv6Prefix`). */
  readonly lookup: string;
  /** The cached verdict of each process, and what would decide a request now. */
  readonly processes: readonly (CachedVerdict & { readonly next: Next })[];
  /** The messages that look up subjects of its kind. */
  readonly messages: readonly ExplainedMessage[];
}

/**
 * What decides the next request: the mirror, if it is live; a fresh verdict (`cache`); a stale one, or a mirror that is behind,
 * while the backend cannot be asked (`stale`); the backend (`lookup`); or the policy.
 */
export type Next = 'mirror' | 'cache' | 'stale' | 'lookup' | 'policy';

export interface ExplainedMessage {
  readonly message: string;
  /** Whether the message is in shadow mode. */
  readonly onTrial: boolean;
  /** The decision of its policy if the subject cannot be looked up now. */
  readonly policy: { readonly reason: Reason; readonly action: Action; readonly status?: number };
}

export type Answer =
  | { readonly version: typeof PROTOCOL_VERSION; readonly result: object }
  | { readonly version: typeof PROTOCOL_VERSION; readonly error: string };

/** A request is invalid; the message says what would be right. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/** The fields beside `version` and `command`. Others are refused, so that a misspelt one does not flush everything. */
const FIELDS: Readonly<Record<Request['command'], readonly string[]>> = {
  state: [],
  hits: [],
  explain: ['subjects'],
  flush: ['subjects', 'all'],
  'log-level': ['level'],
  reload: [],
};

/** Parses one line; throws `RequestError`. */
export function parseRequest(line: string): Request {
  const { version, command, ...fields } = parseObject(line);
  if (version !== PROTOCOL_VERSION) throw new RequestError(`version must be ${PROTOCOL_VERSION}`);
  if (!isCommand(command)) throw new RequestError(`command must be one of ${Object.keys(FIELDS).join(', ')}`);
  const unknown = Object.keys(fields).find((name) => !FIELDS[command].includes(name));
  if (unknown !== undefined)
    throw new RequestError(`${command} takes ${FIELDS[command].join(' or ') || 'nothing'} beside version and command`);
  switch (command) {
    case 'state':
    case 'hits':
    case 'reload':
      return { command };
    case 'explain':
      return { command, subjects: readSubjects(fields.subjects) };
    case 'flush':
      return readFlush(fields);
    case 'log-level':
      return { command, level: readLevel(fields.level) };
    default:
      return command satisfies never;
  }
}

/** A message as one line, with its line feed. */
export function formatLine(message: { readonly version: number } & object): string {
  return `${JSON.stringify(message)}\n`;
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>; // just checked
  } catch {
    // Thrown below.
  }
  throw new RequestError('a request must be a JSON object on one line');
}

function isCommand(command: unknown): command is Request['command'] {
  return typeof command === 'string' && Object.hasOwn(FIELDS, command);
}

function readFlush({ subjects, all }: Readonly<Record<string, unknown>>): Request {
  if (all === true && subjects === undefined) return { command: 'flush', all };
  if (all === undefined && subjects !== undefined) return { command: 'flush', subjects: readSubjects(subjects) };
  throw new RequestError('flush takes either subjects or all: true');
}

function readLevel(level: unknown): LogLevel {
  const known = LOG_LEVELS.find((one) => one === level);
  if (known === undefined) throw new RequestError(`level must be one of ${LOG_LEVELS.join(', ')}`);
  return known;
}

function readSubjects(subjects: unknown): string[] {
  if (!Array.isArray(subjects) || subjects.length === 0 || subjects.length > MAX_SUBJECTS)
    throw new RequestError(`subjects must be a list of 1 to ${MAX_SUBJECTS} texts`);
  return [...new Set(subjects.map((text) => formatSubject(readSubject(text))))];
}

function readSubject(text: unknown): Subject {
  if (typeof text !== 'string') throw new RequestError(`subjects must be a list of 1 to ${MAX_SUBJECTS} texts`);
  try {
    return parseSubject(text);
  } catch (error) {
    if (error instanceof SubjectError) throw new RequestError(error.message, { cause: error });
    throw error;
  }
}
