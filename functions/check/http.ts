import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from 'aws-lambda';
import { firstProblem } from '../../blocklist/schema-problem.ts';
import { CheckRequest, ENDPOINTS, type Endpoint } from '../../contract/check.ts';
import { MIRROR_ID, MirrorRequest } from '../../contract/mirror.ts';
import { UpdatesRequest } from '../../contract/updates.ts';

export type FunctionUrlEvent = LambdaFunctionURLEvent;
export type FunctionUrlResult = APIGatewayProxyStructuredResultV2;

/** 100 subjects of 1024 bytes and 32 lists fit twice over. */
export const MAX_BODY_BYTES = 256 * 1024;

/** A request that cannot be answered. The message is for the caller and reveals no internals. */
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

/** The endpoint of a request. */
export function endpointOf({ rawPath, requestContext }: FunctionUrlEvent): Endpoint {
  const names = Object.keys(ENDPOINTS) as Endpoint[];
  const name = names.find((name) => partsOf(name, rawPath) !== undefined);
  if (name === undefined) {
    const paths = names.map((name) => ENDPOINTS[name].path);
    throw new HttpError(404, `not found: use ${paths.join(' or ')}`);
  }
  const { method } = ENDPOINTS[name];
  if (requestContext.http.method === method) return name;
  throw new HttpError(405, `${rawPath} takes ${method}`, { allow: method });
}

/** The parts of a path that stand for {…} in that of the endpoint; undefined if it is another path. */
function partsOf(name: Endpoint, rawPath: string): string[] | undefined {
  const [expected, given] = [ENDPOINTS[name].path.split('/'), rawPath.split('/')];
  const isSame = (part: string, at: number) => part.startsWith('{') || part === given[at];
  if (given.length !== expected.length || !expected.every(isSame)) return undefined;
  return given.filter((_, at) => expected[at]?.startsWith('{'));
}

/** The parsed body of a check. */
export function checkRequestOf(event: FunctionUrlEvent): CheckRequest {
  return parsed(CheckRequest, json(bodyOf(event)));
}

/** The parsed query of a request for updates. */
export function updatesRequestOf({ rawQueryString }: FunctionUrlEvent): UpdatesRequest {
  return queryAs(UpdatesRequest, rawQueryString);
}

/** The parsed query of a request for the mirror. */
export function mirrorRequestOf({ rawQueryString }: FunctionUrlEvent): MirrorRequest {
  return queryAs(MirrorRequest, rawQueryString);
}

/** The mirror and the number of a segment; undefined if no segment can have them. */
export function segmentOf({ rawPath }: FunctionUrlEvent): { readonly id: string; readonly n: number } | undefined {
  const [id = '', n = ''] = partsOf('segment', rawPath) ?? [];
  return MIRROR_ID.test(id) && /^\d{1,9}$/.test(n) ? { id, n: Number(n) } : undefined;
}

function queryAs<Request>(schema: Schema<Request>, text: string): Request {
  const query = new URLSearchParams(text);
  const [after, lists] = [query.get('after'), query.get('lists')];
  return parsed(schema, { ...(after !== null && { after }), ...(lists !== null && { lists: lists.split(',') }) });
}

interface Schema<Request> {
  safeParse(
    value: unknown,
  ): { success: true; data: Request } | { success: false; error: Parameters<typeof firstProblem>[0] };
}

function parsed<Request>(schema: Schema<Request>, value: unknown): Request {
  const result = schema.safeParse(value);
  if (!result.success) throw new HttpError(400, firstProblem(result.error, value));
  return result.data;
}

/** A response with a JSON body. */
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
