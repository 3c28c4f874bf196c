import type { RefinementEvents } from '../decision/refine.ts';
import type { ConnectionEvents } from './connection.ts';
import type { TranslatorEvents } from './translate.ts';

interface Log {
  debug(fields: object, message: string): void;
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

/** Tells the log what the table asks for and cannot be had. */
export function decisionLog(log: Log): RefinementEvents {
  const told = new Set<string>();
  return {
    unknownBackend(backend, { list, entry }) {
      if (told.has(backend) || told.size >= MAX_NAMES_TOLD) return;
      told.add(backend);
      log.warn({ backend, list, entry }, 'an entry routes to a backend that haproxy.backends does not name');
    },
  };
}
