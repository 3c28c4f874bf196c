import { StoreError } from '../store.ts';

/** The operation that failed, for the message. */
export interface Attempt {
  readonly operation: string;
  readonly table: string;
  /** The endpoint if one is named, else the region; undefined without either. */
  readonly where: string | undefined;
}

/** One line about an error of the SDK: the operation, the table, and what would help if that is known. */
export function storeError(thrown: unknown, attempt: Attempt): StoreError {
  const place = attempt.where === undefined ? '' : ` at ${attempt.where}`;
  const doing = `${attempt.operation} on table ${attempt.table}${place} failed`;
  const isThrottled = throttlesIn(thrown) > 0;
  return new StoreError(`${doing}: ${cause(asError(thrown), attempt)}`, { cause: thrown, isThrottled });
}

const THROTTLES = new Set(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded']);

/** How many attempts were throttled before the SDK threw this error. */
export function throttlesIn(thrown: unknown): number {
  const error: Error & { $metadata?: { attempts?: number } } = asError(thrown);
  return THROTTLES.has(error.name) ? (error.$metadata?.attempts ?? 1) : 0;
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function cause(error: Error & { code?: string }, { table }: Attempt): string {
  if (error.code !== undefined && UNREACHABLE.has(error.code))
    return `connection failed (${error.code}): check the endpoint or region`;
  switch (error.name) {
    case 'ResourceNotFoundException':
      return `table ${table} does not exist there: deploy it, or name another table, region or endpoint`;
    case 'TimeoutError':
      return 'no answer in time';
    case 'CredentialsProviderError':
      return 'no AWS credentials found: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    case 'ExpiredTokenException':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
      return `AWS rejected the credentials (${error.name}): log in again or choose another profile`;
    case 'AccessDeniedException':
      return `the credentials lack a permission: ${error.message}`;
    default:
      return error.message === 'Region is missing'
        ? 'no AWS region configured: set AWS_REGION or use --region'
        : `${error.name}: ${error.message}`;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
