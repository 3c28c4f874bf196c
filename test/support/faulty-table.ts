import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request to DynamoDB as a test sees it. */
export interface TableRequest {
  /** Such as `BatchGetItem`. */
  readonly operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the SDK sent; the test knows which fields it has
  readonly body: any;
}

/** What to answer in DynamoDB's place; undefined passes the request on. */
export type Fault = (request: TableRequest) => { readonly status: number; readonly body: object } | undefined;

/** A server before a local table that fails as DynamoDB does, where the test wants it to. */
export async function faultyTable(test: Cleaning, endpoint: string, fault: Fault): Promise<string> {
  const server = createServer(async (request, response) => {
    const text = await read(request);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const own = fault({ operation, body: JSON.parse(text) });
    const answer = own ?? (await passOn(endpoint, request, text));
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a listening TCP server has one
}

interface Cleaning {
  after(clean: () => Promise<void>): void;
}

async function passOn(
  endpoint: string,
  request: IncomingMessage,
  body: string,
): Promise<{ status: number; body: object }> {
  const { 'x-amz-target': target, authorization, 'x-amz-date': date } = request.headers;
  const headers = {
    ...{ 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': String(target) },
    ...{ authorization: String(authorization), 'x-amz-date': String(date) },
  };
  const answer = await fetch(endpoint, { method: 'POST', headers, body });
  return { status: answer.status, body: (await answer.json()) as object }; // DynamoDB answers objects only
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
