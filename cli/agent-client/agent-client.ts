import { once } from 'node:events';
import { connect } from 'node:net';
import { formatLine, PROTOCOL_VERSION, type Request, type Results } from '../../agent/admin/socket/protocol.ts';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { DEFAULT_SOCKET } from './socket-option.ts';

/** `reload` waits longer: a script can take seconds to load. */
const LIMIT_MS = {
  state: 5_000,
  hits: 5_000,
  explain: 5_000,
  flush: 5_000,
  'log-level': 5_000,
  reload: 60_000,
} as const;
/** Far above the size of any answer. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Sends one request to the running agent. Rejects with a `CliError` that says what to do. */
export async function askAgent<R extends Request>(
  path: string,
  request: R,
  limitMs: number = LIMIT_MS[request.command],
): Promise<Results[R['command']]> {
  const socket = connect(path);
  const limit = setTimeout(() => socket.destroy(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  try {
    await once(socket, 'connect');
    socket.end(formatLine({ version: PROTOCOL_VERSION, ...request }));
    return readAnswer<Results[R['command']]>(path, await wholeText(socket));
  } catch (error) {
    throw error instanceof CliError ? error : connectError(path, error as NodeJS.ErrnoException); // of net
  } finally {
    clearTimeout(limit);
    socket.destroy();
  }
}

/** All that an agent sends; throws if it is more than any answer of an agent. */
export async function wholeText(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString();
}

function readAnswer<T>(path: string, text: string): T {
  if (text === '') throw new CliError(EXIT.failed, `${path}: the agent closed the connection before it answered`);
  const { version, result, error } = parseAnswer(path, text);
  if (version !== PROTOCOL_VERSION)
    throw new CliError(
      EXIT.failed,
      `${path}: the agent runs another release than this command: restart the agent, or use its own haverdict command`,
    );
  if (error !== undefined) throw new CliError(EXIT.failed, `the agent: ${printable(String(error), 500)}`);
  return result as T; // the agent's own type, of the same version
}

function parseAnswer(path: string, text: string): { version?: unknown; result?: unknown; error?: unknown } {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // reported below
  }
  throw new CliError(EXIT.failed, `${path}: this is not the socket of a haverdict agent`);
}

function connectError(path: string, error: NodeJS.ErrnoException): CliError {
  const failed = { cause: error };
  switch (error.code) {
    case 'ENOENT':
      return new CliError(EXIT.failed, `${path} does not exist: ${whereElse(path)}`, failed);
    case 'ECONNREFUSED':
      return new CliError(EXIT.failed, `${path}: connection refused: is the agent running?`, failed);
    case 'ECONNRESET':
    case 'EPIPE':
      return new CliError(EXIT.failed, `${path}: the agent closed the connection before it answered`, failed);
    case 'EACCES':
    case 'EPERM':
      return new CliError(
        EXIT.failed,
        `${path}: permission denied: run this as root or as the user of the agent`,
        failed,
      );
    default:
      return new CliError(EXIT.failed, `${path}: ${error.message}`, failed);
  }
}

/** The default is asked where no configuration was found, which is mostly a forgotten one. */
function whereElse(path: string): string {
  if (path !== DEFAULT_SOCKET) return 'is the agent running with this admin.socket?';
  return 'start the agent, or name the configuration of the one that runs with -c FILE or HAVERDICT_CONFIG';
}
