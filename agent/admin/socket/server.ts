import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { printable } from '../../../contract/printable.ts';
import { redactedSubject } from '../../../contract/redact.ts';
import type { Log } from '../../log.ts';
import { clearStaleSocket, grantAccess, withClosedUmask } from '../../server/socket-file.ts';
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
  /** More connections at once are turned away. */
  readonly maxConnections: number;
  /** How long a peer may take for a request, and to read the answer to the one before. */
  readonly requestMs: number;
}

const LIMITS: SocketLimits = { maxConnections: 16, requestMs: 10_000 };
/** A peer that is turned away is told why, and has so long to read it. */
const FAREWELL_MS = 1_000;
/** Subjects that a line in the log names. */
const MAX_SUBJECTS_TOLD = 10;

/** The admin socket: whoever may open the file may ask and change everything. That is the agent's user and group, and root. */
export class AdminSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #served = 0;

  private constructor(path: string, control: AgentControl, log: Pick<Log, 'info' | 'error'>, limits: SocketLimits) {
    this.path = path;
    // Half open, since a peer may end what it says and still read.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      // Whoever goes away in the middle is nobody's trouble but their own.
      socket.on('error', () => {});
      if (this.#served >= limits.maxConnections) {
        turnAway(socket, `all ${limits.maxConnections} connections are in use: try again`);
        return;
      }
      this.#served++;
      socket.once('close', () => this.#served--);
      void serve(socket, (line) => answerTo(line, control, log), limits.requestMs).catch(() => socket.destroy());
    });
    // Of those that are turned away there is an end too.
    this.#server.maxConnections = 2 * limits.maxConnections;
  }

  /** Listens; rejects with one line that says why it cannot. */
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

/** Answers the lines of one peer, one after the other. */
async function serve(socket: Socket, answer: (line: string) => Promise<Answer>, requestMs: number): Promise<void> {
  let limit = setTimeout(() => socket.destroy(), requestMs);
  socket.once('close', () => clearTimeout(limit));
  try {
    for await (const line of linesOf(socket.iterator({ destroyOnReturn: false }), MAX_REQUEST_BYTES)) {
      clearTimeout(limit); // what it asks for may take its time
      const text = formatLine(await answer(line));
      if (socket.destroyed) return;
      limit = setTimeout(() => socket.destroy(), requestMs);
      if (!socket.write(text)) await drained(socket);
    }
    socket.end();
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    socket.end(formatLine(failure(`a request may have ${MAX_REQUEST_BYTES} bytes`)));
    // A peer that still writes would never come to read that; the time limit ends it.
    socket.resume();
  }
}

function turnAway(socket: Socket, why: string): void {
  socket.end(formatLine(failure(why)));
  // What is left unread would reset the connection before it is told.
  socket.resume();
  const limit = setTimeout(() => socket.destroy(), FAREWELL_MS);
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
  const told = request.subjects.slice(0, MAX_SUBJECTS_TOLD).map((subject) => printable(redactedSubject(subject)));
  return { ...request, subjects: told };
}

function failure(error: string): Answer {
  return { version: PROTOCOL_VERSION, error };
}
