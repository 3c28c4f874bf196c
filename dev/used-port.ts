import { once } from 'node:events';
import { globSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const LISTENING = '0A';
/** The addresses that a site of this machine binds. */
const LOOPBACK = ['127.0.0.1', '::1'] as const;

/** Why nothing can listen on this port of loopback: who has it already, or that this user may not; undefined if it can. */
export async function portProblem(port: number): Promise<string | undefined> {
  for (const host of LOOPBACK) {
    const code = await refusal(host, port);
    if (code === 'EADDRINUSE') return `port ${port} is used by ${userOf(port)}`;
    if (code === 'EACCES') return `port ${port} needs root: ports from 1024 on do not`;
  }
  return undefined;
}

/** What the system answers; undefined if it allows it, or has no such address. */
async function refusal(host: string, port: number): Promise<string | undefined> {
  const server = createServer().listen({ host, port, ipv6Only: true });
  try {
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code; // of net
  }
}

/** The process that listens there, as far as Linux tells this user. */
function userOf(port: number): string {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => socketsIn(table, port)));
  for (const link of globSync('/proc/[0-9]*/fd/*')) {
    if (!sockets.has(targetOf(link))) continue;
    const [, , pid = ''] = link.split('/');
    return `process ${pid} (${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 100)})`;
  }
  return `another program, which "sudo ss -ltnp 'sport = :${port}'" names`;
}

/** What the descriptors of sockets that listen there lead to. */
function socketsIn(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = textOf(table)
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/));
  return rows
    .filter(([, local = '', , state]) => state === LISTENING && local.endsWith(`:${hex}`))
    .map((columns) => `socket:[${columns[9]}]`);
}

/** Empty for what has ended meanwhile, or belongs to somebody else. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
