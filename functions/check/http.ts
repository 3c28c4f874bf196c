import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from 'aws-lambda';
import { firstProblem } from '../../blocklist/problem.ts';
import { CHECK_PATH, CheckRequest, HEALTH_PATH } from '../../contract/check.ts';

export type FunctionUrlEvent = LambdaFunctionURLEvent;
export type FunctionUrlResult = APIGatewayProxyStructuredResultV2;

/** 100 subjects of 1024 bytes and 32 lists fit twice over. */
export const MAX_BODY_BYTES = 256 * 1024;

/** What this function answers, and with which method. */
const ROUTES = { [CHECK_PATH]: 'POST', [HEALTH_PATH]: 'GET' } as const;
export type Route = keyof typeof ROUTES;

/** A request that cannot be answered. The message is for the caller and tells nothing of the inside. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Which of our routes this event asks for. */
export function routeOf({ rawPath, requestContext }: FunctionUrlEvent): Route {
  if (!isRoute(rawPath)) throw new HttpError(404, `there is nothing here: use ${Object.keys(ROUTES).join(' or ')}`);
  const allowed = ROUTES[rawPath];
  if (requestContext.http.method === allowed) return rawPath;
  throw new HttpError(405, `${rawPath} takes ${allowed}`, { allow: allowed });
}

/** The check that this event asks for. */
export function checkRequestOf(event: FunctionUrlEvent): CheckRequest {
  const body = json(bodyOf(event));
  const parsed = CheckRequest.safeParse(body);
  if (!parsed.success) throw new HttpError(400, firstProblem(parsed.error, body));
  return parsed.data;
}

/** An answer with a JSON body. */
export function respond(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): FunctionUrlResult {
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}

function isRoute(path: string): path is Route {
  return Object.hasOwn(ROUTES, path);
}

function bodyOf({ body = '', isBase64Encoded }: FunctionUrlEvent): string {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES)
    throw new HttpError(413, `the body has ${bytes.length} bytes, the limit is ${MAX_BODY_BYTES}`);
  return bytes.toString('utf8');
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, text === '' ? 'the body is empty, it must be JSON' : 'the body is not JSON');
  }
}
