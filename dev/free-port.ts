import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what Linux gives to whoever asks for any port, so that nobody is given it between here and its use. */
const LOWEST = 10_000;
const HIGHEST = 32_767;
const TRIES = 100;

/** A port that nobody has right now, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  for (let count = 0; count < TRIES; count++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
