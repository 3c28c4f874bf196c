import { BackendError } from './backend-error.ts';
import type { FunctionAnswer } from './function-url.ts';

/** From this difference on, the clock is mentioned: AWS accepts signatures of the last five minutes. */
const MAX_SKEW_MS = 2 * 60_000;

const EXPIRED_TOKEN = /security token .*expired/i;
const WRONG_TIME = /signature (expired|not yet current)/i;

type Refused = Pick<FunctionAnswer, 'status' | 'text' | 'date'>;

/** Why an answer that is not 200 cannot be used, and what would help. */
export function statusError(answer: Refused, isSigned: boolean, epochMs: number): BackendError {
  const { status } = answer;
  if (status === 429) return new BackendError('throttled', 'answered status 429: too many calls');
  const isOurs = status >= 400 && status < 500;
  const hint = status === 403 ? `: ${isSigned ? signedHint(answer, epochMs) : UNSIGNED_HINT}` : '';
  return new BackendError(isOurs ? 'refused' : 'failing', `answered status ${status}${hint}`);
}

const UNSIGNED_HINT = 'it may want signed calls, which backend.auth: iam makes';
const SIGNED_HINT =
  'the function refused the signature or the role lacks lambda:InvokeFunctionUrl / lambda:InvokeFunction';

function signedHint({ text, date }: Refused, epochMs: number): string {
  const skewMs = date === undefined ? Number.NaN : epochMs - Date.parse(date);
  if (Math.abs(skewMs) > MAX_SKEW_MS) {
    const minutes = Math.round(Math.abs(skewMs) / 60_000);
    return `this host's clock is ${minutes} minutes ${skewMs < 0 ? 'behind' : 'ahead of'} the function's`;
  }
  if (EXPIRED_TOKEN.test(text)) return 'the AWS credentials of this host have expired';
  return WRONG_TIME.test(text) ? "this host's clock differs from the function's" : SIGNED_HINT;
}
