import { InvalidEntryLog } from '../../blocklist/invalid-entry-log.ts';
import { type CheckDeps, type CheckFacts, check } from '../../blocklist/service.ts';
import { StoreError } from '../../blocklist/store.ts';
import type { Endpoint } from '../../contract/check.ts';
import {
  checkRequestOf,
  endpointOf,
  type FunctionUrlEvent,
  type FunctionUrlResult,
  HttpError,
  mirrorRequestOf,
  respond,
  segmentOf,
  updatesRequestOf,
} from './http.ts';
import type { MirrorAnswers } from './mirror.ts';
import type { Updates } from './updates.ts';

export type Handler = (event: FunctionUrlEvent) => Promise<FunctionUrlResult>;

export interface HandlerDeps extends Pick<CheckDeps, 'store' | 'log' | 'clock' | 'ttlSeconds'> {
  readonly measure?: (facts: CheckFacts, requestId: string) => void;
  /** Absent where nothing writes updates. */
  readonly updates?: Updates;
  readonly mirror?: MirrorAnswers;
}

/** The handler of the function URL, payload format 2.0: parses the request, runs the check, responds. */
export function createHandler(deps: HandlerDeps): Handler {
  const invalidEntryLog = new InvalidEntryLog();
  return async (event) => {
    const { requestId } = event.requestContext;
    const measure = (facts: CheckFacts) => deps.measure?.(facts, requestId);
    const log: CheckDeps['log'] = (level, message, fields) => deps.log(level, message, { requestId, ...fields });
    try {
      return await ANSWERS[endpointOf(event)](event, { ...deps, log, measure, invalidEntryLog });
    } catch (error) {
      return refusal(error, log);
    }
  };
}

type AnswerDeps = CheckDeps & Pick<HandlerDeps, 'updates' | 'mirror'>;

type Answers = Readonly<Record<Endpoint, (event: FunctionUrlEvent, deps: AnswerDeps) => Promise<FunctionUrlResult>>>;

const ANSWERS: Answers = {
  check: async (event, deps) => respond(200, await check(checkRequestOf(event), deps)),
  health: async () => respond(200, { status: 'ok' }),
  updates: async (event, { updates, clock, log }) => {
    if (updates === undefined) throw new HttpError(404, 'this backend has no updates');
    return respond(200, await updates.answer(updatesRequestOf(event), clock, log));
  },
  mirror: async (event, { mirror = noMirror(), clock }) =>
    mirror.manifest(mirrorRequestOf(event), event.headers['if-none-match'], clock()),
  segment: async (event, { mirror = noMirror() }) => mirror.segment(segmentOf(event)),
};

function noMirror(): never {
  throw new HttpError(404, 'this backend has no mirror');
}

/** Responds with the caller's mistake; of an internal failure, the caller learns no details. */
function refusal(error: unknown, log: CheckDeps['log']): FunctionUrlResult {
  if (error instanceof HttpError) {
    log('warn', 'request rejected', { status: error.status, problem: error.message });
    return respond(error.status, { error: error.message }, error.headers);
  }
  if (error instanceof StoreError) {
    log('error', 'store failed', { problem: error.message });
    if (error.isThrottled) return respond(429, { error: 'the blocklist is throttled: send fewer calls' });
    return respond(503, { error: 'the blocklist is unavailable' });
  }
  log('error', 'internal error', { problem: error instanceof Error ? error.stack : String(error) });
  return respond(500, { error: 'internal error' });
}
