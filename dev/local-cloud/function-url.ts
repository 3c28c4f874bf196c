import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Handler } from '../../functions/check/handler.ts';
import type { FunctionUrlEvent, FunctionUrlResult } from '../../functions/check/http.ts';

export interface FunctionUrl {
  readonly url: string;
  close(): Promise<void>;
}

export interface FunctionUrlOptions {
  readonly handler: Handler;
  readonly port?: number;
}

/** What Lambda takes in one synchronous call. */
const MAX_REQUEST_BYTES = 6 * 1024 * 1024;

/** An HTTP server that calls a handler as a Lambda function URL does, payload format 2.0. */
export async function startFunctionUrl({ handler, port = 0 }: FunctionUrlOptions): Promise<FunctionUrl> {
  const server = createServer((request, response) => void answer(handler, request, response));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }; // a listening TCP server has one
}

async function answer(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request).catch(() => undefined);
  if (body === undefined) return void response.destroy(); // the caller went away
  const result = body.length > MAX_REQUEST_BYTES ? { statusCode: 413 } : await call(handler, eventOf(request, body));
  const answered = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8');
  response.writeHead(result.statusCode ?? 200, {
    ...(result.headers as Record<string, string>), // ours are all strings
    'content-length': answered.length,
  });
  response.end(answered);
}

/** A handler that throws is a 502 at the function URL, with nothing of the error in it. */
async function call(handler: Handler, event: FunctionUrlEvent): Promise<FunctionUrlResult> {
  try {
    return await handler(event);
  } catch {
    return { statusCode: 502, body: 'Internal Server Error' };
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_REQUEST_BYTES ? Buffer.alloc(MAX_REQUEST_BYTES + 1) : Buffer.concat(chunks);
}

function eventOf(request: IncomingMessage, body: Buffer): FunctionUrlEvent {
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
      accountId: 'anonymous',
      apiId: 'local',
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
