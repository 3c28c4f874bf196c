// Measures the resident memory of `haverdict agent` with a local function, after lookups of many addresses or a start with
// a cache file, and then the speed of answers from that cache.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../contract/address.ts';
import { freePort } from '../dev/free-port.ts';
import { FrameReader } from '../spop/frame-reader.ts';
import { haproxyHello } from './haproxy-hello.ts';
import type { LoadResult } from './load.ts';
import { addressOf, isListed, notify } from './notify-pool.ts';
import { type Measured, startMeasured } from './process.ts';
import { writeCache } from './written-cache.ts';

const CLI = join(import.meta.dirname, '..', 'cli', 'main.ts');
const LEARNT = 200_000;
const LOADED = 1_000_000;
const CONNECTIONS = 16;
const IN_FLIGHT = 32;
const SETTLE_MS = 3_000;
const TTL_SECONDS = 3_600;

export interface MemoryRun {
  readonly cli: string;
  readonly state: string;
  readonly emptyMb: number;
  readonly residentMb: number;
  /** The peak. */
  readonly peakMb: number;
  /** Microseconds of the agent's CPU time for one lookup. */
  readonly lookupUs: number;
  /** Answers from the cache afterwards, the median of the rounds. */
  readonly p50Us: number;
  readonly p99Us: number;
}

interface Running {
  readonly cli: string;
  readonly port: number;
  readonly measured: Measured;
  readonly emptyMb: number;
}

/** Measures several command lines alternately, to compare two builds in one run. */
export async function measureMemory(clis: readonly string[], rounds: number, seconds: number): Promise<MemoryRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-memory-'));
  const backend = await startFunction();
  try {
    const all = clis.length === 0 ? [CLI] : clis;
    return [
      ...(await measureState('learnt', LEARNT, all, { folder, backend, rounds, seconds })),
      ...(await measureState('from the file', LOADED, all, { folder, backend, rounds, seconds })),
    ];
  } finally {
    backend.close();
    backend.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureState(
  how: 'learnt' | 'from the file',
  addresses: number,
  clis: readonly string[],
  { folder, backend, rounds, seconds }: { folder: string; backend: Server; rounds: number; seconds: number },
): Promise<MemoryRun[]> {
  const agents = [];
  for (const [index, cli] of clis.entries()) {
    const place = join(folder, `${how.replaceAll(' ', '-')}-${index}`);
    agents.push(await startAgent(cli, place, backend, how === 'learnt' ? 0 : addresses));
  }
  const found = [];
  for (const agent of agents) {
    const { measured } = agent;
    const before = measured.cpuSeconds();
    if (how === 'learnt') await askAll(agent.port, addresses);
    const lookupUs = how === 'learnt' ? ((measured.cpuSeconds() - before) / addresses) * 1e6 : 0;
    await sleep(SETTLE_MS);
    found.push({ agent, residentMb: measured.residentMb(), peakMb: measured.peakMb(), lookupUs });
  }
  const loads = new Map<Running, LoadResult[]>(agents.map((agent) => [agent, []]));
  for (let round = 0; round < rounds; round++)
    for (const [agent, results] of loads) results.push(loadOf(agent.port, addresses, seconds));
  for (const { measured } of agents) await measured.stop();
  return found.map(({ agent, ...memory }) => {
    const latencies = (loads.get(agent) ?? []).map(({ latencyUs }) => latencyUs);
    const [p50Us, p99Us] = [median(latencies.map(({ p50 }) => p50)), median(latencies.map(({ p99 }) => p99))];
    return { cli: agent.cli, state: `${addresses} ${how}`, emptyMb: agent.emptyMb, ...memory, p50Us, p99Us };
  });
}

/** Starts the agent with this many verdicts in its cache file, if any. */
async function startAgent(cli: string, place: string, backend: Server, filed: number): Promise<Running> {
  const port = await freePort();
  const file = `${place}.yaml`;
  const { port: backendPort } = backend.address() as AddressInfo; // it listens on TCP
  const config = {
    listen: [`tcp://127.0.0.1:${port}`],
    backend: { url: `http://127.0.0.1:${backendPort}`, timeoutMs: 5_000, maxCallsPerSecond: 10_000 },
    deadlineMs: 5_000,
    cache: { allowTtlSeconds: TTL_SECONDS, denyTtlSeconds: TTL_SECONDS, file: `${place}.cache` },
    log: { level: 'info' },
  };
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML
  if (filed > 0) await writeCache(file, filed, 'ipv4', TTL_SECONDS);
  const measured = await startMeasured([process.execPath, cli, 'agent', '-c', file]);
  await sleep(SETTLE_MS);
  return { cli, port, measured, emptyMb: measured.residentMb() };
}

/** A function that lists every address of odd rank. */
export async function startFunction(): Promise<Server> {
  const listed = new Set<string>();
  for (let rank = 0; rank < LEARNT; rank++)
    if (isListed(rank)) listed.add(`ip:${formatAddress(addressOf(rank, 'ipv4'))}`);
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}'); // the health call at startup
    const { subjects } = JSON.parse(await text(request)) as { subjects: string[] }; // sent by the agent
    const verdicts = subjects.map((subject) => ({
      subject,
      entry: listed.has(subject) ? { subject, list: 'manual', action: 'deny', reason: 'bench' } : null,
    }));
    response.end(JSON.stringify({ verdicts, ttl: TTL_SECONDS }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Asks about each address once, over several connections with several NOTIFYs in flight on each. */
export async function askAll(port: number, addresses: number): Promise<void> {
  let next = 0;
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const reader = new FrameReader(16_384);
      let waiting = 1; // for the HELLO
      socket.once('error', reject);
      socket.on('data', (chunk) => {
        reader.push(chunk);
        while (reader.next() !== undefined) waiting--;
        const frames: Uint8Array[] = [];
        for (; waiting < IN_FLIGHT && next < addresses; waiting++, next++)
          frames.push(notify(next, addressOf(next, 'ipv4')));
        if (frames.length > 0) socket.write(Buffer.concat(frames));
        else if (waiting === 0) socket.destroy();
      });
      socket.once('close', () => resolve());
      socket.write(haproxyHello());
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, ask));
}

function loadOf(port: number, addresses: number, seconds: number): LoadResult {
  const given = { target: `127.0.0.1:${port}`, connections: CONNECTIONS, inFlight: 1, seconds, addresses };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const output = execFileSync(process.execPath, [join(import.meta.dirname, 'load.ts'), ...args], { encoding: 'utf8' });
  const result = JSON.parse(output) as LoadResult;
  if (result.wrong > 0) throw new Error(`${result.wrong} wrong decisions`);
  return result;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
