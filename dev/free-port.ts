import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';

/** Below Linux's ephemeral ports, so that the kernel does not hand out the port before it is used. */
const LOWEST = 10_000;
const HIGHEST = 32_767;
/** The one of these that browsers and `fetch` refuse to connect to (Fetch standard, bad port). */
const REFUSED = 10_080;
const TRIES = 100;

/**
 * A free port, for programs that cannot bind port 0. Reserved against other callers in any process while this one runs, as
 * several HAProxys would silently share it (SO_REUSEPORT).
 */
export async function freePort(): Promise<number> {
  for (let count = 0; count < TRIES; count++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (port !== REFUSED && (await reserved(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`);
}

/** Reserves the port; on Linux with an abstract socket, whose name disappears with this process. */
async function reserved(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return (await listening({ path: `\0haverdict-port-${port}` })) !== undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening({ port });
  if (server === undefined) return false;
  server.close();
  await once(server, 'close');
  return true;
}

async function listening(where: ListenOptions): Promise<Server | undefined> {
  const server = createServer().unref().listen(where);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
