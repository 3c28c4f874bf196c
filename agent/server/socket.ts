import type { Socket } from 'node:net';
import type { Clock } from '../decision/clock.ts';
import { Connection, type ConnectionEvents, type NotifyHandler } from './connection.ts';

/** A peer that does not read its goodbye is not waited for longer than this. */
const LINGER_MS = 1_000;

/** Joins a socket and a connection. `gone` runs once, when the socket is closed. */
export function serveSocket(
  socket: Socket,
  handler: NotifyHandler,
  clock: Clock,
  events: ConnectionEvents,
  gone: () => void,
): Connection {
  const connection = new Connection({ write, end }, handler, clock, events);
  socket.on('data', (chunk) => connection.receive(chunk));
  socket.on('drain', () => socket.resume());
  // A reset is how HAProxy ends every health check, and from 3.1 every reload: nothing to tell anyone.
  socket.on('error', () => connection.abandon());
  socket.on('close', () => {
    connection.abandon();
    gone();
  });
  return connection;

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
