import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** A failed fetch; the message continues a sentence that begins with the URL. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
}

const CODES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection was closed before the answer was complete',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped coming',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is shorter than its Content-Length: it is incomplete',
  UND_ERR_ABORTED: 'stopped',
  ABORT_ERR: 'stopped',
  ZSTD_error_frameParameter_windowTooLarge: 'the answer is compressed with a window of more than 8 MiB',
  Z_BUF_ERROR: 'the compressed answer ends too early: it is incomplete',
};

/** Converts any error of a fetch to a message in one line. */
export function toFetchError(name: string, error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof FetchError) return new CliError(EXIT.failed, `${name} ${error.message}`, { cause: error });
  return new CliError(EXIT.failed, `cannot fetch ${name}: ${described(error)}`, { cause: error });
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error), 200);
  if (error.name === 'AbortError') return 'stopped';
  if (error.name === 'TimeoutError') return 'timeout';
  const { code = '' } = error as NodeJS.ErrnoException; // Node's and undici's errors have one
  const known = CODES[code];
  if (known !== undefined) return known;
  if (/^(Z_|ZSTD_|ERR__ERROR_|ERR_BROTLI)/.test(code)) return 'the answer does not match its Content-Encoding';
  const isTls = /CERT|TLS|SSL|SIGNATURE|ALTNAME|EPROTO/.test(code);
  return `${isTls ? 'TLS: ' : ''}${printable(error.message, 200)}`;
}
