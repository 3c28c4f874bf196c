import { once } from 'node:events';
import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { permissionsFor, type Tables, UnknownOperation } from './dynamodb-permissions.ts';
import type { Access } from './policy.ts';
import { AccessDenied } from './principals.ts';
import { SignatureError, type SignedRequest } from './sigv4-verifier.ts';

export interface ProxyOptions {
  /** The database behind it, which accepts any credentials. */
  readonly endpoint: string;
  readonly port?: number;
  readonly tables: Tables;
  /** Throws `SignatureError` or `AccessDenied` unless the signer may do all of this. */
  authorize(request: SignedRequest, accesses: readonly Access[]): void;
}

export interface DynamoProxy {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** A proxy in front of the database that checks signatures and permissions, with DynamoDB's error responses. */
export async function startDynamoProxy(options: ProxyOptions): Promise<DynamoProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => void serve(request, response, options, agent));
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a listening TCP server has one
    async close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ProxyOptions,
  agent: Agent,
): Promise<void> {
  const body = await buffer(request).catch(() => undefined);
  if (body === undefined) return void response.destroy(); // the caller went away
  try {
    const { method = 'POST', url: target = '/', headers } = request;
    const operation = String(headers['x-amz-target']).split('.')[1] ?? '';
    const accesses = permissionsFor(operation, JSON.parse(body.toString('utf8') || '{}'), options.tables);
    options.authorize({ method, target, headers, body }, accesses);
  } catch (error) {
    return refuse(response, error);
  }
  passOn(request, body, response, options.endpoint, agent);
}

function passOn(
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  endpoint: string,
  agent: Agent,
): void {
  const passed = forward(
    endpoint + request.url,
    { method: request.method, headers: request.headers, agent },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  passed.on('error', () => response.destroy());
  passed.end(body);
}

function refuse(response: ServerResponse, error: unknown): void {
  const [type, message] = describe(error);
  const body = JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message });
  response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
}

function describe(error: unknown): [type: string, message: string] {
  if (error instanceof SignatureError) return [error.exception, error.message];
  if (error instanceof AccessDenied) return ['AccessDeniedException', error.message];
  if (error instanceof UnknownOperation) return ['UnknownOperationException', error.message];
  return ['SerializationException', `${error}`];
}
