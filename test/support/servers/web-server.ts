import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../../dev/free-port.ts';

const START_LIMIT_MS = 20_000;

/** A server behind HAProxy that marks what it serves. */
export interface WebServer {
  readonly name: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface WebServerProgram {
  readonly name: string;
  /** Its configuration, each character a byte. */
  config(folder: string, port: number): string;
  command(folder: string, file: string): readonly [program: string, ...args: string[]];
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs a server with a configuration of ours in a folder of its own; resolves when it takes connections. */
export async function startWebServer(program: WebServerProgram): Promise<WebServer> {
  const { name } = program;
  const folder = mkdtempSync(join(tmpdir(), `haverdict-${name}-`));
  const port = await freePort();
  const file = join(folder, 'server.conf');
  writeFileSync(file, program.config(folder, port), 'latin1');
  const [command, ...args] = program.command(folder, file);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: program.environment, cwd: folder });
  // Whatever ends us, the child does not stay behind.
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  child.once('exit', () => process.removeListener('exit', orphaned));
  let said = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (part) => (said += part));
  const missing = once(child, 'error').then(([error]) => {
    throw new Error(`no ${name} (npm run test:tools fetches it): ${error.message}`);
  });
  const close = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([missing, takesConnections(port, child)]);
  } catch (error) {
    await close();
    throw new Error(`${name} does not start: ${said}`, { cause: error });
  }
  return { name, port, close };
}

async function takesConnections(port: number, child: ChildProcess): Promise<void> {
  const limitMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > limitMs) throw error;
      await pause(20);
    } finally {
      socket.destroy();
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
