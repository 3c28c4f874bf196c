import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { printable } from '../../../contract/printable.ts';
import { redactedSubject } from '../../../contract/redact.ts';
import { clearStaleSocket, grantAccess, withClosedUmask } from '../../../spop/server/socket-file.ts';
import type { Log } from '../../log.ts';
import type { AgentControl } from '../../state/agent-control.ts';
import { execute } from './execute.ts';
import { LineTooLong, linesOf } from './lines.ts';
import {
  type Answer,
  formatLine,
  MAX_REQUEST_BYTES,
  PROTOCOL_VERSION,
  parseRequest,
  type Request,
  RequestError,
} from './protocol.ts';

export interface SocketLimits {
  /** Further connections are rejected. */
  readonly maxConnections: number;
  /** How long a peer may take to read an answer and send the next request. */
  readonly requestMs: number;
}

const LIMITS: SocketLimits = { maxConnections: 16, requestMs: 10_000 };
/** How long a rejected peer has to read the error. */
const REJECTION_MS = 1_000;
/** The most subjects in a log line. */
const MAX_LOGGED_SUBJECTS = 10;

/** The admin socket. Its file permissions allow the agent's user and group, and root, to execute every command. */
export class AdminSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #served = 0;

  private constructor(path: string, control: AgentControl, log: Pick<Log, 'info' | 'error'>, limits: SocketLimits) {
    this.path = path;
    // Half open, since a peer may end its side and still read.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      // A peer that disconnects is not an error.
      socket.on('error', () => {});
      if (this.#served >= limits.maxConnections) {
        reject(socket, `all ${limits.maxConnections} connections are in use: try again`);
        return;
      }
      this.#served++;
      socket.once('close', () => this.#served--);
      void serve(socket, (line) => answerTo(line, control, log), limits.requestMs).catch(() => socket.destroy());
    });
    // Bounds the rejected connections too.
    this.#server.maxConnections = 2 * limits.maxConnections;
  }

  /** Starts listening; rejects with a one-line error. */
  static async open(
    path: string,
    control: AgentControl,
    log: Pick<Log, 'info' | 'error'>,
    limits: SocketLimits = LIMITS,
  ): Promise<AdminSocket> {
    const admin = new AdminSocket(path, control, log, limits);
    await clearStaleSocket({ path });
    try {
      withClosedUmask(() => admin.#server.listen(path));
      await once(admin.#server, 'listening');
    } catch (error) {
      const { message } = error as Error; // of net
      throw new Error(`cannot listen on ${path}: ${message}`, { cause: error });
    }
    grantAccess({ path });
    return admin;
  }

  /** Ends all connections and removes the file. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}

/** Answers the requests of one peer, one after the other. */
async function serve(socket: Socket, answer: (line: string) => Promise<Answer>, requestMs: number): Promise<void> {
  let limit = setTimeout(() => socket.destroy(), requestMs);
  socket.once('close', () => clearTimeout(limit));
  try {
    for await (const line of linesOf(socket.iterator({ destroyOnReturn: false }), MAX_REQUEST_BYTES)) {
      clearTimeout(limit); // a command may take longer
      const text = formatLine(await answer(line));
      if (socket.destroyed) return;
      limit = setTimeout(() => socket.destroy(), requestMs);
      if (!socket.write(text)) await drained(socket);
    }
    socket.end();
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    socket.end(formatLine(failure(`a request may have ${MAX_REQUEST_BYTES} bytes`)));
    // Discards what the peer still writes, so that it reads the error; the time limit ends it.
    socket.resume();
  }
}

function reject(socket: Socket, why: string): void {
  socket.end(formatLine(failure(why)));
  // Unread data would reset the connection before the peer reads the error.
  socket.resume();
  const limit = setTimeout(() => socket.destroy(), REJECTION_MS);
  socket.once('close', () => clearTimeout(limit));
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', resolve);
  });
}

async function answerTo(line: string, control: AgentControl, log: Pick<Log, 'info' | 'error'>): Promise<Answer> {
  try {
    const request = parseRequest(line);
    const result = await execute(request, control);
    if (isChange(request)) log.info(fieldsOf(request), 'admin command executed');
    return { version: PROTOCOL_VERSION, result };
  } catch (error) {
    if (error instanceof RequestError) return failure(error.message);
    log.error({ err: error }, 'admin command failed');
    return failure(`internal error: ${printable(String(error), 200)}`);
  }
}

function isChange({ command }: Request): boolean {
  return command !== 'state' && command !== 'explain';
}

function fieldsOf(request: Request): object {
  if (!('subjects' in request)) return request;
  const subjects = request.subjects.slice(0, MAX_LOGGED_SUBJECTS).map((subject) => printable(redactedSubject(subject)));
  return { ...request, subjects };
}

function failure(error: string): Answer {
  return { version: PROTOCOL_VERSION, error };
}
