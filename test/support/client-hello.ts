import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What a TLS client really sends first. */
export async function clientHello(servername: string): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const client = connectTls({ port: address.port, host: '127.0.0.1', servername });
  client.on('error', () => {}); // nobody answers it
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

/** Whether a server behind HAProxy answers these bytes: it speaks no TLS, but says so. */
export async function isAnswered(port: number, parts: readonly Buffer[], from = '127.0.0.1'): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  socket.on('error', () => {}); // HAProxy may reset it
  const closed = once(socket, 'close');
  for (const part of parts) await written(socket, part);
  await closed;
  return received > 0;
}

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => void socket.write(bytes, () => resolve()));
}
