import type { Socket } from 'node:net';
import type { Clock } from '../decision/clock.ts';
import { Connection, type ConnectionEvents, type NotifyHandler } from './connection.ts';
import { withSharedReads } from './fast-socket.ts';
import type { OutputBuffer } from './output.ts';

/** A peer that does not read its goodbye is not waited for longer than this. */
const LINGER_MS = 1_000;

export interface SocketParts {
  readonly handler: NotifyHandler;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
  /** Shared by all sockets. */
  readonly output: OutputBuffer;
  /** Runs once, when the socket is closed. */
  readonly gone: () => void;
}

/** A connection with its socket. */
export interface Served {
  readonly connection: Connection;
  /** Drops the socket at once. */
  destroy(): void;
}

/** Joins an accepted socket, paused as yet, and a connection. */
export function serveSocket(accepted: Socket, { handler, clock, events, output, gone }: SocketParts): Served {
  const connection = new Connection({ write, end }, handler, clock, events, output);
  const receive = (chunk: Uint8Array) => connection.receive(chunk);
  const socket = withSharedReads(accepted, receive) ?? accepted.on('data', receive).resume();
  socket.on('drain', () => socket.resume());
  // A reset is how HAProxy ends every health check, and from 3.1 every reload: nothing to tell anyone.
  socket.on('error', () => connection.abandon());
  socket.on('close', () => {
    connection.abandon();
    gone();
  });
  return { connection, destroy: () => socket.destroy() };

  function write(bytes: Uint8Array): boolean {
    // A peer that does not read is not read from: what waits for it here stays below one socket buffer and one chunk.
    if (!socket.write(bytes)) socket.pause();
    return socket.writableLength === 0;
  }

  function end(): void {
    // Resumed, since a paused socket would never see the peer's end and so never close.
    socket.resume();
    socket.end();
    const cancel = clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', cancel);
  }
}
