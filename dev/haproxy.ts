import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { bound, type TemporaryFolder, temporaryFolder } from './local-cloud/ends-with-process.ts';

/** The name under which the `filter` line of a config finds its SPOE file: HAProxy runs in the folder of both. */
export const SPOE_FILE = 'haverdict.spoe.cfg';

/** The additional configuration file of this runner. */
const ADMIN_FILE = 'admin.cfg';
const ADMIN_SOCKET = 'admin.sock';
const CONFIG_ARGUMENTS = ['-f', ADMIN_FILE, '-f', 'haproxy.cfg'];

/**
 * A `global` section without the certificates of HAProxy's own HTTP client, which nothing here uses: HAProxy reads some 150
 * files for them at each start and check, which takes three quarters of its time.
 */
export const WITHOUT_HTTP_CLIENT = 'global\n.if version_atleast(2.6)\n    httpclient.ssl.verify none\n.endif\n';

const START_LIMIT_MS = 5000;
const STOP_LIMIT_MS = 2000;
const RELOAD_REPEAT_MS = 300;

export interface HaproxyFiles {
  readonly config: string;
  readonly spoe?: string;
  /** The program to run; by default that of the environment variable `HAPROXY`, or the first `haproxy` found. */
  readonly binary?: string;
  /** Starts it as a master with workers, which `reload` needs. */
  readonly reloadable?: boolean;
}

export interface Haproxy {
  readonly pid: number;
  /** Where it runs, with its configuration `haproxy.cfg`. */
  readonly folder: string;
  /** The output of HAProxy so far: log lines and messages. */
  readonly lines: readonly string[];
  /** Starts a new worker with the same files; resolves when it has taken over the sockets. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real HAProxy on this config; resolves when all its listeners are bound. A warning is an error. */
export async function startHaproxy(files: HaproxyFiles): Promise<Haproxy> {
  const binary = files.binary ?? findHaproxy();
  const folder = writeFolder(files);
  try {
    check(binary, folder.path, files);
    return await start(binary, folder, files);
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** Checks the config with `haproxy -c`; throws with config and output on errors and warnings. */
export function checkHaproxy(files: HaproxyFiles): void {
  const folder = writeFolder(files);
  try {
    check(files.binary ?? findHaproxy(), folder.path, files);
  } finally {
    folder.remove();
  }
}

async function start(binary: string, folder: TemporaryFolder, files: HaproxyFiles): Promise<Haproxy> {
  const mode = files.reloadable ? ['-W', '-db'] : ['-db'];
  const child = bound(
    spawn(binary, [...mode, ...CONFIG_ARGUMENTS], { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => lines.push(line));
  const stop = async () => {
    await end(child);
    folder.remove();
  };
  try {
    await once(child, 'spawn');
    await running(folder.path, child);
  } catch (error) {
    await stop();
    throw explained('haproxy does not start', lines.join('\n'), files, error);
  }
  return { pid: child.pid ?? 0, folder: folder.path, lines, reload: () => reload(child, lines), stop };
}

async function reload(child: ChildProcess, lines: readonly string[]): Promise<void> {
  const before = workersIn(lines);
  const limit = Date.now() + START_LIMIT_MS;
  for (let askedAt = 0; workersIn(lines) === before; await pause(10)) {
    if (Date.now() > limit) throw new Error(`haproxy does not reload:\n${lines.slice(-10).join('\n')}`);
    // Repeated, since a process that has just started or reloaded ignores it (seen on 2.6).
    if (Date.now() - askedAt > RELOAD_REPEAT_MS) {
      child.kill('SIGUSR2');
      askedAt = Date.now();
    }
  }
}

/** Counts the lines that the master writes when a worker is ready and it accepts the next signal. */
function workersIn(lines: readonly string[]): number {
  return lines.filter((line) => line.includes('Loading success')).length;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  const written = once(child, 'close');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(killer);
  // Its last output may still be in the pipes, which workers of a killed master hold open.
  await Promise.race([written, pause(STOP_LIMIT_MS, undefined, { ref: false })]);
}

function writeFolder({ config, spoe }: HaproxyFiles): TemporaryFolder {
  const folder = temporaryFolder('haverdict-haproxy-');
  const { path } = folder;
  writeFileSync(join(path, 'haproxy.cfg'), config);
  writeFileSync(join(path, ADMIN_FILE), `${WITHOUT_HTTP_CLIENT}    stats socket unix@${ADMIN_SOCKET}\n`);
  if (spoe !== undefined) writeFileSync(join(path, SPOE_FILE), spoe);
  return folder;
}

function check(binary: string, folder: string, files: HaproxyFiles): void {
  const { status, stdout, stderr, error } = spawnSync(binary, ['-c', ...CONFIG_ARGUMENTS], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error !== undefined) throw new Error(`${binary} cannot be run: ${INSTALL}`, { cause: error });
  const output = stdout + stderr;
  if (status !== 0 || /\[(WARNING|ALERT)\]/.test(output)) throw explained('haproxy -c complains', output, files);
}

const INSTALL = 'install HAProxy 2.4 or later (apt-get install haproxy), or set HAPROXY to the path of the program';

/** `HAPROXY` of the environment, or the first on the PATH and where Debian puts it: a plain user's PATH lacks that. */
export function findHaproxy(): string {
  const named = process.env.HAPROXY;
  if (named !== undefined && named !== '') return named;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, 'haproxy')).find(isExecutable);
  if (found === undefined) throw new Error(`haproxy is not installed: ${INSTALL}`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** An answer on the admin socket is the only sign that all listeners are bound and HAProxy runs (seen on 2.6). */
async function running(folder: string, child: ChildProcess): Promise<void> {
  const limit = Date.now() + START_LIMIT_MS;
  while (!(await answers(join(folder, ADMIN_SOCKET)))) {
    if (hasEnded(child)) throw new Error(`haproxy ended with ${child.exitCode ?? child.signalCode}`);
    if (Date.now() > limit) throw new Error(`haproxy does not run after ${START_LIMIT_MS} ms`);
    await pause(10);
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    socket.write('show info\n');
    for await (const _ of socket) return true;
    return false;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function explained(what: string, output: string, { config, spoe }: HaproxyFiles, cause?: unknown): Error {
  const files = spoe === undefined ? config : `${config}\n---- ${SPOE_FILE} ----\n${spoe}`;
  return new Error(`${what}:\n${output}\n---- haproxy.cfg ----\n${files}`, { cause });
}
