import type { FunctionUrlEvent } from '../../functions/check/http.ts';

/** An event as a function URL makes it, payload format 2.0; written by hand from an event of AWS's documentation. */
export function functionEvent(method: string, target: string, body?: string): FunctionUrlEvent {
  const [path = '', query = ''] = target.split(/\?(.*)/s, 2);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: { 'content-type': 'application/json', host: 'abc.lambda-url.eu-west-1.on.aws' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abc',
      domainName: 'abc.lambda-url.eu-west-1.on.aws',
      domainPrefix: 'abc',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'request-1',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2026:19:03:58 +0000',
      timeEpoch: 1_773_342_238_000,
    },
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
  };
}
