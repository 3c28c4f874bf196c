import type { Socket } from 'node:net';
import type { Clock } from '../decision/clock.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import type { Crowd, Member } from './crowd.ts';
import { withSharedReads } from './fast-socket.ts';
import type { CurrentHandler } from './notify-handler.ts';
import type { OutputBuffer } from './output.ts';
import type { Turns } from './turns.ts';

/** A peer that does not read its goodbye is not waited for longer than this. */
const LINGER_MS = 1_000;
/**
 * Of a frame above this, which is larger than HAProxy makes them with its usual buffers, one chunk is read in a turn: the
 * event loop would read two megabytes of each connection, and 1,500 that send such frames would stop it for a second.
 */
const LARGE_BYTES = 16 * 1024;

export interface SocketParts {
  readonly handler: CurrentHandler;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
  /** Shared by all sockets. */
  readonly output: OutputBuffer;
  readonly crowd: Crowd;
  readonly turns: Turns;
  /** Runs once, when the socket is closed. */
  readonly gone: () => void;
}

/** Joins an accepted socket, paused as yet, and a connection. */
export function serveSocket(
  accepted: Socket,
  { handler, clock, events, output, crowd, turns, gone }: SocketParts,
): Member {
  const connection = new Connection({ write, end }, handler, clock, events, output);
  let unreadSinceMs = 0;
  let toldBytes = 0;
  let isNewcomer = true;
  const member: Member = {
    connection,
    get heldBytes() {
      return heldBytes();
    },
    get stuckSinceMs() {
      return socket.writableLength > 0 ? unreadSinceMs : connection.activity.unfinishedSinceMs;
    },
    destroy: () => socket.destroy(),
  };
  const socket = withSharedReads(accepted, receive) ?? accepted.on('data', receive).resume();
  socket.on('drain', () => socket.resume());
  // A reset is how HAProxy ends every health check, and from 3.1 every reload: nothing to tell anyone.
  socket.on('error', () => connection.abandon());
  socket.on('close', () => {
    connection.abandon();
    crowd.remove(member);
    gone();
  });
  crowd.add(member);
  return member;

  function receive(chunk: Uint8Array): void {
    connection.receive(chunk);
    if (isNewcomer && connection.activity.hasAsked) {
      isNewcomer = false;
      crowd.asked(member);
    }
    if (connection.activity.unfinishedBytes > LARGE_BYTES) {
      socket.pause();
      turns.wait(goOn);
    }
    const held = heldBytes();
    if (held === toldBytes) return;
    const more = held - toldBytes;
    toldBytes = held;
    crowd.grew(more);
  }

  function heldBytes(): number {
    return connection.activity.heldBytes + socket.writableLength;
  }

  function goOn(): void {
    if (!socket.writableNeedDrain) socket.resume();
  }

  function write(bytes: Uint8Array): boolean {
    // A peer that does not read is not read from: what waits for it here stays below one socket buffer and one chunk.
    const isAllRead = socket.writableLength === 0;
    if (!socket.write(bytes)) socket.pause();
    if (socket.writableLength === 0) return true;
    if (isAllRead) unreadSinceMs = clock.nowMs();
    return false;
  }

  function end(): void {
    // Resumed, since a paused socket would never see the peer's end and so never close.
    socket.resume();
    socket.end();
    const cancel = clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', cancel);
  }
}
