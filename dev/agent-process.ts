import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { bound } from './local-cloud/ends-with-process.ts';
import { PROGRAM } from './program-path.ts';

const START_LIMIT_MS = 20_000;

/** The agent as its users run it: a process of its own with a config file. */
export interface AgentProcess {
  readonly pid: number;
  /** Its configuration. */
  readonly file: string;
  /** Its settings, from which the wiring is generated. */
  readonly settings: Settings;
  /** The JSON lines that it has logged so far. */
  readonly lines: readonly string[];
  /** Sends a signal and resolves with the exit code; null if the signal ended the process. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** Writes the config file into the folder, runs `haverdict agent` on it and resolves when it listens. */
export async function startAgentProcess(
  config: object,
  folder: string,
  env: Readonly<Record<string, string>> = {},
  program = PROGRAM,
): Promise<AgentProcess> {
  const file = join(folder, 'haverdict.yaml');
  writeFileSync(file, JSON.stringify(config, null, 2)); // JSON is YAML
  const child = bound(
    spawn(process.execPath, [program, 'agent', '-c', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    }),
  );
  const lines: string[] = [];
  const listening = Promise.withResolvers<void>();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (line.includes('agent is listening')) listening.resolve();
    });
  }
  child.once('exit', (code) => listening.reject(new Error(`the agent ended with ${code}:\n${lines.join('\n')}`)));
  const limit = setTimeout(() => listening.reject(new Error('the agent does not start')), START_LIMIT_MS);
  try {
    await listening.promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(limit);
  }
  return { pid: child.pid ?? 0, file, settings: loadSettings(file, env), lines, kill: (signal) => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  const [code] = await exited;
  return code;
}
