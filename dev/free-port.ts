import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port that nobody has right now, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  server.close();
  await once(server, 'close');
  return port;
}
