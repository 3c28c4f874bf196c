import { LookupError } from '../decision/decision.ts';

/**
 * Why a call failed, which determines whether another function is asked: no connection (`unreachable`); an error of the
 * function or on the way to it (`failing`); a request that it refuses (`refused`); a problem of the agent, so that the call
 * was not made (`ours`); or too many calls (`throttled`), which is not a failure of the function.
 */
export type Fault = 'unreachable' | 'failing' | 'refused' | 'ours' | 'throttled';

/** A call to the function without a usable answer. */
export class BackendError extends LookupError {
  readonly fault: Fault;

  constructor(fault: Fault, message: string, options?: ErrorOptions) {
    super(fault === 'throttled' ? 'overload' : 'backend_error', `backend: ${message}`, options);
    this.fault = fault;
  }
}

/** Any error of a call as a `BackendError`. */
export function toBackendError(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  return new BackendError(isUnreachable(error) ? 'unreachable' : 'failing', describeError(error), { cause: error });
}

/** One line about an error of a library. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'did not answer in time';
  const [line = ''] = error.message.trim().split('\n');
  return (line === '' ? (codeOf(error) ?? error.name) : line).slice(0, MAX_MESSAGE_LENGTH);
}

/** Credential helpers put their whole command line into the error. */
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
