import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AdminSocket, type SocketLimits } from '../../agent/admin/socket/server.ts';
import type { AgentControl, CachedVerdict, ReloadOutcome } from '../../agent/state/agent-control.ts';
import type { AgentState, Hits } from '../../agent/state/state.ts';
import type { LogLevel } from '../../config/settings.ts';
import { agentState } from './agent-state.ts';
import { temporaryFolder } from './config-file.ts';

/** An agent in name only: it knows what it is given and remembers what it was told. */
export class ScriptedControl implements AgentControl {
  known: Readonly<Record<string, CachedVerdict['cached']>> = {};
  mirror: CachedVerdict['mirror'];
  next: AgentState = agentState();
  counted: Hits = { sinceMs: 0, isComplete: true, entries: [] };
  reloaded: ReloadOutcome = { needsRestart: [] };
  readonly told: string[] = [];

  async state(): Promise<AgentState> {
    return this.next;
  }

  async hits(): Promise<Hits> {
    return this.counted;
  }

  async explain(subject: string): Promise<readonly CachedVerdict[]> {
    const cached = this.known[subject];
    const { mirror } = this;
    return [{ pid: 4711, ...(mirror && { mirror }), ...(cached && { cached }) }];
  }

  async flush(subject?: string): Promise<number> {
    this.told.push(subject === undefined ? 'flush all' : `flush ${subject}`);
    return subject === undefined ? Object.keys(this.known).length : Number(subject in this.known);
  }

  async setLogLevel(level: LogLevel): Promise<void> {
    this.told.push(`log ${level}`);
  }

  async reload(): Promise<ReloadOutcome> {
    this.told.push('reload');
    return this.reloaded;
  }
}

/** A socket as an agent has it, in a folder that goes with the test. */
export async function adminSocket(t: TestContext, limits?: SocketLimits, control = new ScriptedControl()) {
  const lines: [message: string, fields: object][] = [];
  const note = (fields: object, message: string) => void lines.push([message, fields]);
  const path = join(temporaryFolder(t), 'admin.sock');
  const socket = await AdminSocket.open(path, control, { info: note, error: note }, limits);
  let isOpen = true;
  const close = async () => {
    if (isOpen) await socket.close();
    isOpen = false;
  };
  t.after(close);
  return { path, control, lines, close };
}

/** All that the socket answers to this text; the peer then says no more. */
export async function exchange(path: string, text: string | Uint8Array): Promise<unknown[]> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.on('error', () => {}); // it may be cut
  socket.end(text);
  const answer = Buffer.concat(await socket.toArray()).toString();
  return answer
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
