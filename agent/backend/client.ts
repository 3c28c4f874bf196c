import { CheckEnvelope, ENDPOINTS, type Entry, entryProblem, Verdict } from '../../contract/check.ts';
import { isPermitted, type ListActions } from '../../contract/permitted-actions.ts';
import { printable } from '../../contract/printable.ts';
import { redactedSubject } from '../../contract/redact.ts';
import type { Clock } from '../decision/clock.ts';
import type { Backend, Lookup } from '../decision/loader.ts';
import { BackendError, toBackendError } from './backend-error.ts';
import { FunctionUrl } from './function-url.ts';
import type { Signer } from './signer.ts';
import { type CallTimings, STARTUP_SUBJECT } from './startup-check.ts';
import { statusError } from './status-error.ts';

export interface ClientSettings {
  /** The function URL; a path in it is kept. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
  /** The time limit for a connection; `timeoutMs` by default. */
  readonly connectTimeoutMs?: number;
  /** The lists in shadow mode; none by default. */
  readonly shadowLists?: readonly string[];
  /** The permitted actions of restricted lists; none by default. */
  readonly listActions?: ListActions;
}

/** The fields of each request beside its subjects. */
interface RequestParameters {
  readonly lists: readonly string[];
  readonly shadowLists?: readonly string[];
  readonly listActions?: ListActions;
}

/** An entry that was ignored because its list may not use its action. */
export type Uncounted = NonNullable<Verdict['notCounted']>;

export interface ClientEvents {
  /** The function answered an entry that violates the contract; the subject counts as not looked up. */
  badEntry(subject: string, problem: string): void;
  /** An entry is ignored. `isBlind` if the function does not support `listActions`, so that the entry hides others. */
  notCounted(entry: Uncounted, isBlind: boolean): void;
  /** The function answered an entry of a shadow list as enforced: it is too old to support shadow lists. */
  ignoresShadow(list: string): void;
}

/** Calls the function over HTTP, without retries: the cache keeps a failure for a moment, then looks up again. */
export class BackendClient implements Backend {
  readonly #url: FunctionUrl;
  readonly #parameters: RequestParameters;
  readonly #timeoutMs: number;
  readonly #events: ClientEvents;
  readonly #clock: Clock;

  constructor(settings: ClientSettings, lists: readonly string[], events: ClientEvents, clock: Clock, sign?: Signer) {
    this.#url = new FunctionUrl({ connectTimeoutMs: settings.timeoutMs, ...settings }, sign);
    const { shadowLists = [], listActions = {}, timeoutMs } = settings;
    this.#parameters = {
      lists,
      ...(shadowLists.length > 0 && { shadowLists }),
      ...(Object.keys(listActions).length > 0 && { listActions }),
    };
    this.#timeoutMs = timeoutMs;
    this.#events = events;
    this.#clock = clock;
  }

  async check(
    subjects: readonly string[],
    signal = AbortSignal.timeout(this.#timeoutMs),
  ): Promise<{ lookups: Lookup[]; ttlSeconds: number }> {
    try {
      return await this.#check(subjects, signal);
    } catch (error) {
      throw toBackendError(error);
    }
  }

  /** Times a health call, which may be a cold start, and then a check of a subject that no client has. */
  async timeCalls(): Promise<CallTimings> {
    try {
      const beganMs = this.#clock.nowMs();
      const answer = await this.#url.get(ENDPOINTS.health.path, AbortSignal.timeout(this.#timeoutMs));
      const firstMs = this.#clock.nowMs() - beganMs;
      const aheadMs = this.#clock.epochMs() - Date.parse(answer.date ?? '');
      if (answer.status !== 200) throw statusError(answer, this.#url.isSigned, this.#clock.epochMs());
      const askedMs = this.#clock.nowMs();
      await this.#check([STARTUP_SUBJECT], AbortSignal.timeout(this.#timeoutMs));
      const checkMs = this.#clock.nowMs() - askedMs;
      return { firstMs, checkMs, ...(Number.isFinite(aheadMs) && { clockAheadSeconds: Math.round(aheadMs / 1000) }) };
    } catch (error) {
      throw toBackendError(error);
    }
  }

  async #check(subjects: readonly string[], signal: AbortSignal): Promise<{ lookups: Lookup[]; ttlSeconds: number }> {
    const answer = await this.#url.post(ENDPOINTS.check.path, { ...this.#parameters, subjects }, signal);
    if (answer.status !== 200) throw statusError(answer, this.#url.isSigned, this.#clock.epochMs());
    const { verdicts, ttl } = parseAnswer(answer.text);
    if (verdicts.length !== subjects.length)
      throw new BackendError('failing', `asked ${subjects.length} subjects, got ${verdicts.length} verdicts`);
    const lookups = subjects.map((subject, index) => this.#readVerdict(subject, verdicts[index]));
    return { lookups, ttlSeconds: ttl };
  }

  /** Whether the function answers at all. */
  async isWell(): Promise<boolean> {
    try {
      const { status } = await this.#url.get(ENDPOINTS.health.path, AbortSignal.timeout(this.#timeoutMs));
      return status === 200;
    } catch {
      return false;
    }
  }

  /** Aborts calls in flight. */
  async close(): Promise<void> {
    await this.#url.close();
  }

  #readVerdict(subject: string, received: unknown): Lookup {
    const verdict = Verdict.safeParse(received);
    if (!verdict.success) {
      const problem = verdict.error.issues
        .map(({ path, message }) => `${printable(path.join('.'))}: ${message}`)
        .join('; ');
      this.#events.badEntry(subject, problem);
      return { error: problem };
    }
    if (verdict.data.subject !== subject)
      throw new BackendError(
        'failing',
        `asked "${redactedSubject(subject)}", got a verdict for "${printable(redactedSubject(verdict.data.subject))}"`,
      );
    const { entry, error, overload, notCounted } = verdict.data;
    if (error !== undefined) return { error, ...(overload && { isOverload: true }) };
    const problem = entry ? entryProblem(entry) : undefined;
    if (problem !== undefined) {
      this.#events.badEntry(subject, problem);
      return { error: problem };
    }
    if (notCounted !== undefined && Object.hasOwn(this.#parameters.listActions ?? {}, notCounted.list))
      this.#events.notCounted(notCounted, false);
    if (!entry) return { entry: null };
    const { unlessAllowed, ...own } = entry;
    const said = [own, ...(unlessAllowed ? [unlessAllowed] : [])];
    for (const { list } of said)
      if (!this.#parameters.lists.includes(list))
        throw new BackendError('failing', `got an entry of list "${list}", which was not asked`);
    const [first, second] = said.filter((one) => this.#counts(one)).map((one) => this.#inShadow(one));
    return { entry: first === undefined ? null : { ...first, ...(second && { unlessAllowed: second }) } };
  }

  /** Enforces `listActions` even if the function does not. */
  #counts(entry: Entry): boolean {
    if (isPermitted(this.#parameters.listActions ?? {}, entry)) return true;
    this.#events.notCounted(entry, true);
    return false;
  }

  /** Entries of shadow lists are not enforced, even if the function answers them as enforced. */
  #inShadow(entry: Entry): Entry {
    if (entry.action === 'log' || !this.#parameters.shadowLists?.includes(entry.list)) return entry;
    this.#events.ignoresShadow(entry.list);
    const { action, status: _status, vars: _vars, ...rest } = entry;
    return { ...rest, action: 'log', shadow: action };
  }
}

function parseAnswer(text: string): { verdicts: readonly unknown[]; ttl: number } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BackendError('failing', 'answer is not JSON', { cause: error });
  }
  const envelope = CheckEnvelope.safeParse(json);
  if (!envelope.success) throw new BackendError('failing', 'answer has no verdicts or no ttl');
  return envelope.data;
}
