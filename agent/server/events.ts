import { printable } from '../../contract/printable.ts';
import { SpopStatus } from '../../spop/errors.ts';
import type { Clock } from '../decision/clock.ts';
import type { RefinementEvents } from '../decision/refine.ts';
import { Repeated, type Times } from '../repeated.ts';
import type { Meters } from '../state/meters.ts';
import type { RecentDeny } from '../state/state.ts';
import type { ConnectionEvents } from './connection.ts';
import { CROWD_LIMITS, type Shortage } from './crowd.ts';
import type { ListenerEvents } from './listener.ts';
import type { TranslatorEvents } from './translate.ts';

interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What SPOP status 10 from HAProxy means, since everyone who meets it has to search for it. */
const FRAGMENTATION_REFUSED = 10;
/** The status of a peer's complaint is any number. */
const ASSIGNED: ReadonlySet<number> = new Set(Object.values(SpopStatus));
/** The digest of a header with a long name fits in. */
const MAX_SUBJECT = 100;
/** Message names come from the socket: told once each, up to so many. */
const MAX_NAMES_TOLD = 100;

/** Tells the log what goes wrong on connections: each status once a minute, and how often. */
export function connectionLog(
  log: Log,
  repeated: Repeated,
): Pick<ConnectionEvents, 'protocolError' | 'peerComplained'> {
  return {
    protocolError: (error) =>
      repeated.about(`protocol ${error.status}`, (times) =>
        log.warn(
          { status: error.status, error: printable(error.message, 200), ...times },
          'connection closed: peer broke the protocol',
        ),
      ),
    peerComplained: (status, message) =>
      repeated.about(`complaint ${status}`, (times) =>
        log.warn(
          { status, message: printable(message, 200), ...times },
          status === FRAGMENTATION_REFUSED
            ? 'HAProxy disconnects: a request did not fit into a frame; put "no option send-frag-payload" into the spoe-agent section'
            : 'HAProxy disconnects',
        ),
      ),
  };
}

/** Tells the log that connections end for others, and counts each as one of SPOP's status for it. */
export function crowdLog(log: Log, clock: Clock, meters: Meters): (shortage: Shortage) => void {
  const told = new Repeated(clock);
  const tell = {
    connections: (times: Times) =>
      log.warn({ limit: CROWD_LIMITS.connections, ...times }, 'too many connections: the one idle longest makes way'),
    memory: (times: Times) =>
      log.warn(
        { limitBytes: CROWD_LIMITS.heldBytes, ...times },
        'too much is unfinished or unread: the connection that is so longest makes way',
      ),
  };
  return (shortage) => {
    meters.spopError(SpopStatus.resourceAllocation);
    told.about(shortage, tell[shortage]);
  };
}

/** Tells the log what goes wrong on connections, and counts what goes on there; `deadlineMs` is that of now. */
export function connectionEvents(log: Log, clock: Clock, meters: Meters, deadlineMs: () => number): ListenerEvents {
  const told = connectionLog(log, new Repeated(clock));
  return {
    protocolError(error) {
      meters.spopError(error.status);
      told.protocolError(error);
    },
    peerComplained(status, message) {
      meters.spopError(ASSIGNED.has(status) ? status : 'other');
      told.peerComplained(status, message);
    },
    answered: (frames, tookMs) => meters.answered(frames, tookMs),
    answeredLate: (tookMs) => meters.answeredLate(tookMs, deadlineMs()),
    healthChecked: () => void meters.spop.healthChecks++,
    accepted: () => void meters.spop.accepted++,
  };
}

/** Tells the log what goes wrong with messages. */
export function translatorLog(log: Log): TranslatorEvents {
  const told = new Set<string>();
  return {
    unknownMessage(name) {
      if (told.has(name) || told.size >= MAX_NAMES_TOLD) return;
      told.add(name);
      log.warn(
        { message: printable(name) },
        'HAProxy sends a message that the configuration does not have: it is answered with no decision',
      );
    },
    internalError: (error) => log.error({ err: error }, 'decision failed in our own code, the policy answered'),
  };
}

/** Lines a second about what is on trial, which may be every request. */
const MAX_TRIALS_TOLD = 10;

/** Tells the log what the table asks for and cannot be had, and what would be done were it not on trial. */
export function decisionLog(log: Log, clock: Clock): RefinementEvents {
  const backendsTold = new Set<string>();
  const sampled = sampler(clock, MAX_TRIALS_TOLD, (leftOut) =>
    log.info({ leftOut }, 'more was decided on trial than is told line by line'),
  );
  return {
    unknownBackend(backend, { list, entry }) {
      if (backendsTold.has(backend) || backendsTold.size >= MAX_NAMES_TOLD) return;
      backendsTold.add(backend);
      log.warn(
        { backend: printable(backend), list, entry: entry && printable(entry, MAX_SUBJECT) },
        'an entry routes to a backend that haproxy.backends does not name: its requests go where they went without it',
      );
    },
    trial(message, { shadow, source, reason, list, entry }, client) {
      const wouldBe = shadow ?? 'log';
      const why = {
        source,
        reason: reason && printable(reason, 200),
        list,
        entry: entry && printable(entry, MAX_SUBJECT),
      };
      sampled(() =>
        log.info({ message, client: printable(client), wouldBe, ...why }, 'on trial: decided, and not enforced'),
      );
    },
  };
}

/** Lines a second about denies, which may be every request. */
const MAX_DENIES_TOLD = 10;

/** Tells the log some of the denies, and how many of those that it is told of it left out. */
export function denyLog(log: Log, clock: Clock): (deny: RecentDeny) => void {
  const sampled = sampler(clock, MAX_DENIES_TOLD, (leftOut) =>
    log.info({ leftOut }, 'more was denied than is told line by line'),
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

/** Lets so many through in each second that has any, and tells at its end how many more there were. */
function sampler(clock: Clock, most: number, more: (leftOut: number) => void): (tell: () => void) => void {
  let thisSecond = 0;
  const endSecond = () => {
    if (thisSecond > most) more(thisSecond - most);
    thisSecond = 0;
  };
  return (tell) => {
    if (thisSecond === 0) clock.after(1000, endSecond);
    thisSecond++;
    if (thisSecond <= most) tell();
  };
}
