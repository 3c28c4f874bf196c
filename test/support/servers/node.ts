import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { REACHED } from './marks.ts';
import { marksOf } from './readings.ts';
import type { WebServer } from './web-server.ts';

/** A server on node:http that marks whatever one of several ways to read a request would serve, in a header and in the body. */
export async function startNode(): Promise<WebServer> {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    const marks = [REACHED, ...marksOf(request)].join('');
    response.on('error', () => {});
    response.writeHead(200, { 'x-served': marks, 'content-type': 'text/plain', 'content-length': marks.length });
    response.end(marks);
  });
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {});
    const marks = [REACHED, ...marksOf(request)].join('');
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: upgrade',
      `Upgrade: ${request.headers.upgrade}`,
      `Sec-WebSocket-Accept: ${accepted(request.headers['sec-websocket-key'])}`,
      `x-served: ${marks}`,
    ];
    socket.end(`${lines.join('\r\n')}\r\n\r\n`);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name: 'node',
    port: (server.address() as AddressInfo).port, // a listening TCP server has one
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** What proves that a key was read (RFC 6455 4.2.2). */
function accepted(key = ''): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
