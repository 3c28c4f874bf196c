import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { LambdaFunctionURLEvent } from 'aws-lambda';

/** The caller of a function URL with IAM authorization. */
export interface Caller {
  readonly accessKeyId: string;
  readonly account: string;
  readonly arn: string;
}

/** The event of a function URL for a request, payload format 2.0. */
export function functionEvent(
  request: IncomingMessage,
  body: Buffer,
  caller: Caller | undefined,
): LambdaFunctionURLEvent {
  const { pathname, search } = new URL(request.url ?? '/', 'http://function.local');
  const isText = /^(text\/|application\/(json|xml|javascript))/.test(request.headers['content-type'] ?? '');
  const now = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    requestContext: {
      accountId: caller?.account ?? 'anonymous',
      apiId: 'local',
      ...(caller !== undefined && { authorizer: { iam: identity(caller) } }),
      domainName: request.headers.host ?? 'localhost',
      domainPrefix: 'local',
      http: {
        method: request.method ?? 'GET',
        path: pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

function identity({ accessKeyId, account, arn }: Caller) {
  const userId = `AROALOCAL:${arn.split('/').at(-1)}`;
  return {
    accessKey: accessKeyId,
    accountId: account,
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: null as unknown as string, // the type has no account without an organization
    userArn: arn,
    userId,
  };
}
