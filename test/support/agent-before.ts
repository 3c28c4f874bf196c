import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type AgentProcess, startAgentProcess } from '../../dev/agent-process.ts';
import { Client } from './spop/client.ts';
import { hello, ipv4, notify, type ParsedFrame, parseActions } from './spop/naive-codec.ts';
import { until } from './until.ts';

const LIMIT_MS = 60_000;

/** What a backend does when it is asked. */
export type Answer = (subjects: readonly string[], response: ServerResponse) => void;

/** Answers as the contract says: 10.0.0.0/16 is listed, all others are free. */
export function well(subjects: readonly string[], response: ServerResponse): void {
  const verdicts = subjects.map((subject) => ({
    subject,
    entry: subject.startsWith('ip:10.0.') ? { subject, list: 'manual', action: 'deny' } : null,
  }));
  response.end(JSON.stringify({ verdicts, ttl: 3600 }));
}

/** An agent process before a backend that answers like this, and HAProxy's end of a connection to it. */
export async function agentBefore(t: TestContext, answer: Answer, config: object) {
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    if (request.method === 'GET') return void response.end('{"status":"ok"}');
    const { subjects } = JSON.parse(Buffer.concat(chunks).toString()) as { subjects: string[] };
    answer(subjects, response);
  }).listen(0, '127.0.0.1');
  t.after(() => void server.close(() => {}).closeAllConnections());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-pressure-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'agent.sock');
  const admin = { listen: 'tcp://127.0.0.1:0' };
  const agent = await startAgentProcess({ listen: [{ unix: path }], backend: { url }, admin, ...config }, folder);
  const reload = async ({ degradedPercent = 5, ...next }: { degradedPercent?: number; deadlineMs: number }) => {
    const whole = { listen: [{ unix: path }], backend: { url, degradedPercent }, admin, ...config, ...next };
    writeFileSync(join(folder, 'haverdict.yaml'), JSON.stringify(whole));
    process.kill(agent.pid, 'SIGHUP');
  };
  t.after(() => agent.kill('SIGKILL'));
  const haproxy = await Client.connect({ path });
  t.after(() => haproxy.socket.destroy());
  haproxy.socket.write(hello());
  await haproxy.received(1);
  const adminAt = await adminUrl(agent);
  const get = async (page: string) => {
    const response = await fetch(adminAt + page);
    return { status: response.status, text: await response.text() };
  };
  return { agent, haproxy, get, reload };
}

/** Asks about so many strangers a second, until it is told to stop. */
export function traffic(t: TestContext, haproxy: Client, perSecond: number): () => void {
  let stream = 1;
  const timer = setInterval(() => {
    const id = stream++;
    haproxy.socket.write(ask(id, ipv4(10, 2 + (id >> 16), (id >> 8) & 255, id & 255)));
  }, 1000 / perSecond);
  const stop = () => clearInterval(timer);
  t.after(stop);
  return stop;
}

/** The line with such a message, the first or a later one, once it is there. */
export async function logged(agent: AgentProcess, message: RegExp, nth = 1): Promise<Record<string, unknown>> {
  const found = () => agent.lines.map((line) => JSON.parse(line)).filter(({ msg }) => message.test(msg))[nth - 1];
  await until(
    () => found() !== undefined,
    () => `no ${message} in:\n${agent.lines.join('\n')}`,
    LIMIT_MS,
  );
  return found();
}

/** Where the admin HTTP server of an agent listens; it says so after it listens for HAProxy. */
export async function adminUrl(agent: AgentProcess): Promise<string> {
  const { address } = await logged(agent, /^admin HTTP server is listening$/);
  return String(address).replace('tcp:', 'http:');
}

export function ask(stream: number, address: ReturnType<typeof ipv4>): Uint8Array {
  return notify(stream, 1, ['check-request', ['ip', address]]);
}

/** What an ACK sets, but for the id and the entry. */
export function said(frame: ParsedFrame | undefined): Record<string, string> {
  const set = parseActions(frame?.payload ?? new Uint8Array()).flatMap((action) => {
    if (action.type !== 'set-var' || action.value.type !== 'string') return [];
    return [[action.name, Buffer.from(action.value.value).toString()] as const];
  });
  const { entry: _entry, ref: _ref, ...rest } = Object.fromEntries(set);
  return rest;
}
