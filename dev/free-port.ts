import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';

/** Below what Linux gives to whoever asks for any port, so that nobody is given it between here and its use. */
const LOWEST = 10_000;
const HIGHEST = 32_767;
const TRIES = 100;

/**
 * A port that nobody has right now, for programs that cannot be told to take any. No other process that asks here is given
 * it while this one runs: several HAProxys would share it without a word (SO_REUSEPORT).
 */
export async function freePort(): Promise<number> {
  for (let count = 0; count < TRIES; count++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if ((await reserved(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`);
}

/** On Linux by the name of a socket in no file system, which ends with this process. */
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
