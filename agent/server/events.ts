import { shown } from '../../contract/shown.ts';
import type { Clock } from '../decision/clock.ts';
import type { RefinementEvents } from '../decision/refine.ts';
import type { ConnectionEvents } from './connection.ts';
import type { TranslatorEvents } from './translate.ts';

interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What SPOP status 10 from HAProxy means, since everyone who meets it has to search for it. */
const FRAGMENTATION_REFUSED = 10;
/** Message names come from the socket: told once each, up to so many. */
const MAX_NAMES_TOLD = 100;

/** Tells the log what goes wrong on connections. */
export function connectionLog(log: Log): ConnectionEvents {
  return {
    protocolError: (error) =>
      log.warn({ status: error.status, error: error.message }, 'connection closed: peer broke the protocol'),
    peerComplained: (status, message) =>
      log.warn(
        { status, message },
        status === FRAGMENTATION_REFUSED
          ? 'HAProxy disconnects: a request did not fit into a frame; put "no option send-frag-payload" into the spoe-agent section'
          : 'HAProxy disconnects',
      ),
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
        { message: name },
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
  let trialsThisSecond = 0;
  const endSecond = () => {
    const leftOut = trialsThisSecond - MAX_TRIALS_TOLD;
    if (leftOut > 0) log.info({ leftOut }, 'more was decided on trial than is told line by line');
    trialsThisSecond = 0;
  };
  return {
    unknownBackend(backend, { list, entry }) {
      if (backendsTold.has(backend) || backendsTold.size >= MAX_NAMES_TOLD) return;
      backendsTold.add(backend);
      log.warn(
        { backend, list, entry },
        'an entry routes to a backend that haproxy.backends does not name: its requests go where they went without it',
      );
    },
    trial(message, { shadow, source, reason, list, entry }, client) {
      if (trialsThisSecond === 0) clock.after(1000, endSecond);
      trialsThisSecond++;
      if (trialsThisSecond > MAX_TRIALS_TOLD) return;
      log.info(
        { message, client: shown(client), wouldBe: shadow ?? 'log', source, reason, list, entry },
        'on trial: decided, and not enforced',
      );
    },
  };
}
