import { LookupError } from '../decision/decision.ts';

/**
 * What a failed call says about the function at that URL, and so what asking another one is worth: there was no
 * connection; it or the way to it fails; it refuses what was asked; or it was never asked, for a reason of ours. One that
 * is throttled did not fail: the function is there, and calls are too many for it.
 */
export type Fault = 'unreachable' | 'failing' | 'refused' | 'ours' | 'throttled';

/** A call to the function that brought no usable answer. */
export class BackendError extends LookupError {
  readonly fault: Fault;

  constructor(fault: Fault, message: string, options?: ErrorOptions) {
    super(fault === 'throttled' ? 'overload' : 'backend_error', `backend: ${message}`, options);
    this.fault = fault;
  }
}

/** Whatever went wrong on the way, as a `BackendError`. */
export function toBackendError(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  return new BackendError(isUnreachable(error) ? 'unreachable' : 'failing', describeError(error), { cause: error });
}

/** One line about an error that somebody else made. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'did not answer in time';
  const [line = ''] = error.message.trim().split('\n');
  return (line === '' ? (codeOf(error) ?? error.name) : line).slice(0, MAX_MESSAGE_LENGTH);
}

/** A credential helper puts its whole command line into its error. */
const MAX_MESSAGE_LENGTH = 300;

const UNREACHABLE: readonly unknown[] = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
];

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && UNREACHABLE.includes(codeOf(error));
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown }; // Node's and undici's errors have one
  return typeof code === 'string' ? code : undefined;
}
