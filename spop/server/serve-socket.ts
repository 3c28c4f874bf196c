import type { Socket } from 'node:net';
import { Connection } from '../connection.ts';
import type { ConnectionEvents } from '../connection-events.ts';
import type { CurrentHandler } from '../notify-handler.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import type { Clock } from '../transport.ts';
import type { ConnectionLimiter, TrackedConnection } from './connection-limiter.ts';
import type { ReadScheduler } from './read-scheduler.ts';
import { withSharedReads } from './shared-reads.ts';
import type { TurnWrites } from './turn-writes.ts';

/** How long a closing socket waits for the peer to read the DISCONNECT. */
const LINGER_MS = 1_000;
/**
 * A partial frame above this, which HAProxy with its usual buffers never sends, is read one chunk in a turn of the event
 * loop: it would read two megabytes of each connection at once, and 1,500 connections would block it for a second.
 */
const LARGE_BYTES = 16 * 1024;

export interface SocketParts {
  readonly handler: CurrentHandler;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
  /** Shared by all sockets. */
  readonly output: OutputBuffer;
  readonly limiter: ConnectionLimiter;
  readonly reads: ReadScheduler;
  readonly writes: TurnWrites;
  /** Runs once, when the socket is closed. */
  readonly closed: () => void;
}

/** Runs a connection on an accepted socket, which is paused. */
export function serveSocket(
  accepted: Socket,
  { handler, clock, events, output, limiter, reads, writes, closed }: SocketParts,
): TrackedConnection {
  const transport = {
    write,
    end,
    get peer() {
      return peerOf(socket);
    },
  };
  const connection = new Connection(transport, handler, clock, events, output);
  let unreadSinceMs = 0;
  let reportedBytes = 0;
  let isSilent = true;
  const tracked: TrackedConnection = {
    connection,
    get heldBytes() {
      return heldBytes();
    },
    get stuckSinceMs() {
      return socket.writableLength > 0 ? unreadSinceMs : connection.activity.partialSinceMs;
    },
    destroy: () => socket.destroy(),
  };
  const socket = withSharedReads(accepted, receive) ?? accepted.on('data', receive).resume();
  socket.on('drain', () => socket.resume());
  // Not logged: HAProxy ends every health check with a reset, and from 3.1 every reload.
  socket.on('error', () => connection.abandon());
  socket.on('close', () => {
    connection.abandon();
    limiter.remove(tracked);
    closed();
  });
  limiter.add(tracked);
  return tracked;

  function receive(chunk: Uint8Array): void {
    connection.receive(chunk);
    if (isSilent && connection.activity.hasNotified) {
      isSilent = false;
      limiter.notified(tracked);
    }
    if (connection.activity.partialBytes > LARGE_BYTES) {
      socket.pause();
      reads.schedule(resume);
    }
    report();
  }

  function report(): void {
    const held = heldBytes();
    if (held === reportedBytes) return;
    const more = held - reportedBytes;
    reportedBytes = held;
    limiter.grew(more);
  }

  function heldBytes(): number {
    return connection.activity.heldBytes + socket.writableLength;
  }

  function resume(): void {
    if (!socket.writableNeedDrain) socket.resume();
  }

  function write(bytes: Uint8Array): boolean {
    writes.add(bytes, send);
    return true;
  }

  function send(bytes: Uint8Array): boolean {
    if (socket.destroyed) return true;
    // While the peer does not read, nothing is read from it: unread ACKs stay below one socket buffer and those of one turn.
    const isAllRead = socket.writableLength === 0;
    if (!socket.write(bytes)) socket.pause();
    if (socket.writableLength === 0) return true;
    if (isAllRead) unreadSinceMs = clock.nowMs();
    report();
    return false;
  }

  function end(): void {
    writes.flush();
    // A paused socket would not see the peer's FIN and so never close.
    socket.resume();
    socket.end();
    const cancel = clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', cancel);
  }
}

/** IPv4 clients of an IPv6 socket are written as IPv4. */
function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  const address = remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, '');
  return address?.includes(':') ? `[${address}]:${remotePort}` : address && `${address}:${remotePort}`;
}
