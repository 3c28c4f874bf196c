import { printable } from '../../contract/printable.ts';
import type { ConnectionEvents } from '../../spop/connection-events.ts';
import { SpopStatus } from '../../spop/errors.ts';
import { CONNECTION_LIMITS, type ExceededLimit } from '../../spop/server/connection-limiter.ts';
import type { ListenerEvents } from '../../spop/server/listener.ts';
import { ThrottledLog, type Times } from '../../spop/throttled-log.ts';
import type { Clock } from '../decision/clock.ts';
import type { EnforcementEvents } from '../decision/enforcement.ts';
import type { Log } from '../log.ts';
import type { ProcessMetrics } from '../state/process-metrics.ts';
import type { RecentDeny } from '../state/state.ts';
import type { MessageEvents } from './message-handler.ts';

/** The SPOP status with which HAProxy refuses fragmentation. */
const FRAGMENTATION_REFUSED = 10;
/** HAProxy may send any other number. */
const ASSIGNED: ReadonlySet<number> = new Set(Object.values(SpopStatus));
/** Room for the digest of a header with a long name. */
const MAX_SUBJECT = 100;
/** Names come from the socket and the table: each is logged once, up to this many. */
const MAX_NAMES = 100;

/** Logs errors on connections: each status once a minute, and how often. */
export function connectionLog(
  log: Log,
  repeated: ThrottledLog,
): Pick<ConnectionEvents, 'protocolError' | 'disconnectReceived'> {
  return {
    protocolError: (error, peer) =>
      repeated.about(`protocol ${error.status}`, (times) =>
        log.warn(
          { status: error.status, error: printable(error.message, 200), ...(peer !== undefined && { peer }), ...times },
          'connection closed: protocol violation by the peer',
        ),
      ),
    disconnectReceived: (status, message) =>
      repeated.about(`complaint ${status}`, (times) =>
        log.warn(
          { status, message: printable(message, 200), ...times },
          status === FRAGMENTATION_REFUSED
            ? 'HAProxy closed a connection: a request does not fit into a frame; add "no option send-frag-payload" to the spoe-agent section'
            : 'HAProxy closed a connection with an error',
        ),
      ),
  };
}

/** Logs that connections are closed for a limit, and counts each under the SPOP status for it. */
export function evictionLog(log: Log, clock: Clock, metrics: ProcessMetrics): (exceeded: ExceededLimit) => void {
  const repeated = new ThrottledLog(clock);
  const warn = {
    connections: (times: Times) =>
      log.warn({ limit: CONNECTION_LIMITS.connections, ...times }, 'too many connections: closed the one idle longest'),
    memory: (times: Times) =>
      log.warn(
        { limitBytes: CONNECTION_LIMITS.heldBytes, ...times },
        'too many bytes of partial frames and unread ACKs: closed the connection stuck longest',
      ),
  };
  return (exceeded) => {
    metrics.spopError(SpopStatus.resourceAllocation);
    repeated.about(exceeded, warn[exceeded]);
  };
}

/** Logs errors on connections, and counts all events; `deadlineMs` returns the current one. */
export function connectionEvents(
  log: Log,
  clock: Clock,
  metrics: ProcessMetrics,
  deadlineMs: () => number,
): ListenerEvents {
  const logged = connectionLog(log, new ThrottledLog(clock));
  return {
    protocolError(error, peer) {
      metrics.spopError(error.status);
      logged.protocolError(error, peer);
    },
    disconnectReceived(status, message) {
      metrics.spopError(ASSIGNED.has(status) ? status : 'other');
      logged.disconnectReceived(status, message);
    },
    answered: (frames, tookMs) => metrics.answered(frames, tookMs),
    answeredLate: (tookMs) => metrics.answeredLate(tookMs, deadlineMs()),
    healthChecked: () => void metrics.counters.healthChecks++,
    accepted: () => void metrics.counters.accepted++,
  };
}

/** Logs errors with messages. */
export function messageLog(log: Log): MessageEvents {
  const logged = new Set<string>();
  return {
    unknownMessage(name) {
      if (!isNew(logged, name)) return;
      log.warn(
        { message: printable(name) },
        'HAProxy sent a message that is not in the configuration: answered without a decision',
      );
    },
    internalError: (error) => log.error({ err: error }, 'internal error, fell back to policy'),
  };
}

/** Whether this name is to be logged: it is the first time, and not too many were before. */
function isNew(logged: Set<string>, name: string): boolean {
  if (logged.has(name) || logged.size >= MAX_NAMES) return false;
  logged.add(name);
  return true;
}

/** Lines a second about decisions in shadow mode, which may be every request. */
const MAX_SHADOW_LINES = 10;

/** Counts and logs what HAProxy has no rule for, and logs decisions that are not enforced. */
export function decisionEvents(log: Log, clock: Clock, metrics: ProcessMetrics): EnforcementEvents {
  const logged = new Set<string>();
  const sampled = sampler(clock, MAX_SHADOW_LINES, (leftOut) =>
    log.info({ leftOut }, 'further decisions in shadow mode not logged one by one'),
  );
  return {
    unsupported({ action, list, entry }, missing, instead) {
      metrics.counters.unsupported[action]++;
      for (const { what, setting } of missing) {
        if (!isNew(logged, what)) continue;
        log.warn(
          {
            ...{ missing: printable(what), setting, action, instead: instead.action },
            ...{ list, entry: entry && printable(entry, MAX_SUBJECT) },
          },
          'HAProxy has no rule for part of a decision: done without it',
        );
      }
    },
    shadowed(message, { shadow, source, reason, list, entry }, client) {
      const wouldBe = shadow ?? 'log';
      const why = {
        source,
        reason: reason && printable(reason, 200),
        list,
        entry: entry && printable(entry, MAX_SUBJECT),
      };
      sampled(() =>
        log.info({ message, client: printable(client), wouldBe, ...why }, 'shadow mode: decision not enforced'),
      );
    },
  };
}

/** Lines a second about denies, which may be every request. */
const MAX_DENY_LINES = 10;

/** Logs denies up to a limit, and how many more there were. */
export function denyLog(log: Log, clock: Clock): (deny: RecentDeny) => void {
  const sampled = sampler(clock, MAX_DENY_LINES, (leftOut) =>
    log.info({ leftOut }, 'further denies not logged one by one'),
  );
  return ({ ref, message, action, source, reason, list, status, subject, client }) =>
    sampled(() => {
      const why = {
        source,
        reason: printable(reason, 200),
        list,
        subject: printable(subject, MAX_SUBJECT),
        ...(client && { client }),
      };
      log.info({ ...(ref !== '' && { ref }), message, action, ...(status && { status }), ...why }, 'denied');
    });
}

/** Calls up to `most` functions a second, and at the end of the second `more` with the number of the others. */
function sampler(clock: Clock, most: number, more: (leftOut: number) => void): (log: () => void) => void {
  let thisSecond = 0;
  const endSecond = () => {
    if (thisSecond > most) more(thisSecond - most);
    thisSecond = 0;
  };
  return (log) => {
    if (thisSecond === 0) clock.after(1000, endSecond);
    thisSecond++;
    if (thisSecond <= most) log();
  };
}
