// Measures the agent's process while it loads a mirror of a million entries: from the function in the local cloud, a second
// one beside the first, and from its file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DynamoConnection } from '../blocklist/dynamodb/connection.ts';
import { formatAddress } from '../contract/address.ts';
import { type AgentProcess, startAgentProcess } from '../dev/agent-process.ts';
import { freePort } from '../dev/free-port.ts';
import { deployStack, type LocalStack } from '../dev/stack/local-stack.ts';
import { writeBundle } from '../packaging/bundle.ts';
import { putMirror } from '../updates/building.ts';
import { DynamoLog } from '../updates/dynamodb/log.ts';
import { DynamoMirrors } from '../updates/dynamodb/mirrors.ts';
import { Fold } from '../updates/fold.ts';
import { recordAfter } from '../updates/record.ts';
import { addressOf } from './notify-pool.ts';
import { cpuSecondsOf, megabytesOf } from './process.ts';

const ENTRIES = 1_000_000;
const LIST = 'manual';
const REASONS = ['scraping', 'login attempts', 'spam'];
const SETTLE_MS = 3000;
const LIMIT_MS = 120_000;
const EVERY_MS = 20;
const PRELOADED = join(import.meta.dirname, 'loop-stalls.mjs');

type Family = 'ipv4' | 'ipv6';

const LOADS = ['from the function', 'another one beside it', 'from the file'] as const;

export interface MirrorLoadRun {
  readonly family: Family;
  readonly load: (typeof LOADS)[number];
  /** As the agent logs it. */
  readonly tookMs: number;
  /** Of all threads: with the start of the process, less that of one without a mirror. */
  readonly cpuMs: number;
  /** The event loop stood still, and was at work meanwhile: the rest of the time another program had the processor. */
  readonly longestStallMs: number;
  readonly longestWorkMs: number;
  /** More than an agent without a mirror: at most, and afterwards. */
  readonly peakMb: number;
  readonly residentMb: number;
}

/** Some fields of a line that the agent has logged. */
interface Line {
  readonly time: string;
  readonly tookMs: number;
  readonly stalls: readonly { readonly endedMs: number; readonly ms: number; readonly cpuMs: number }[];
}

/** Every load of some rounds. */
export async function measureMirrorLoads(family: Family, rounds: number): Promise<MirrorLoadRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-mirror-load-'));
  await writeBundle(folder, '0.0.0', process.execPath); // as the packages have it
  const cloud = await deployStack();
  try {
    for (const rule of cloud.schedules.values()) rule.close(); // the table itself has no entries
    const put = await mirrors(cloud, family);
    const bare = await startAgent(cloud, folder, { mode: 'off' });
    await pause(SETTLE_MS);
    const empty = { mb: megabytesOf(bare.pid, 'VmRSS'), cpuSeconds: cpuSecondsOf(bare.pid) };
    await bare.kill('SIGTERM');
    const runs: MirrorLoadRun[] = [];
    for (let round = 0; round < rounds; round++) {
      const updates = { mode: 'mirror', file: join(folder, `mirror-${round}`) };
      await put();
      const first = await startAgent(cloud, folder, updates);
      runs.push({ family, load: LOADS[0], ...(await measured(first, 'mirror loaded', empty)) });
      writeFileSync(`/proc/${first.pid}/clear_refs`, '5'); // the peak is that from now on
      const loaded = { ...empty, cpuSeconds: cpuSecondsOf(first.pid) };
      await put();
      runs.push({ family, load: LOADS[1], ...(await measured(first, 'mirror loaded', loaded)) });
      await first.kill('SIGTERM');
      const again = await startAgent(cloud, folder, updates);
      runs.push({ family, load: LOADS[2], ...(await measured(again, 'mirror restored from file', empty)) });
      await again.kill('SIGTERM');
    }
    return runs;
  } finally {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures the load at whose end the agent says this next. */
async function measured(
  agent: AgentProcess,
  end: string,
  before: { readonly mb: number; readonly cpuSeconds: number },
): Promise<Omit<MirrorLoadRun, 'family' | 'load'>> {
  const { tookMs, time } = await said(agent, end);
  await pause(SETTLE_MS);
  const cpuMs = (cpuSecondsOf(agent.pid) - before.cpuSeconds) * 1000;
  process.kill(agent.pid, 'SIGUSR2');
  const { stalls } = await said(agent, 'stalls');
  const endedMs = Date.parse(time);
  const during = stalls.filter((stall) => stall.endedMs - stall.ms >= endedMs - tookMs && stall.endedMs <= endedMs);
  return {
    ...{ tookMs, cpuMs },
    longestStallMs: Math.max(0, ...during.map(({ ms }) => ms)),
    longestWorkMs: Math.max(0, ...during.map(({ ms, cpuMs }) => Math.min(ms, cpuMs))),
    peakMb: megabytesOf(agent.pid, 'VmHWM') - before.mb,
    residentMb: megabytesOf(agent.pid, 'VmRSS') - before.mb,
  };
}

/** What puts a mirror into the table of the log, each time with another base: the agents load it. */
async function mirrors(cloud: LocalStack, family: Family): Promise<() => Promise<void>> {
  const of = { connectTimeoutMs: 1000, requestTimeoutMs: 5000 };
  const client = {
    endpoint: cloud.backDoorEndpoint,
    region: cloud.region,
    credentials: cloud.issue(cloud.outputs.OperatorPolicyArn ?? ''),
  };
  const { client: lister } = new DynamoConnection({ ...of, table: '', client });
  const { TableNames = [] } = await lister.send(new ListTablesCommand({}));
  const table = TableNames.find((name) => name !== cloud.outputs.TableName) ?? '';
  const connection = new DynamoConnection({ ...of, table, client });
  const log = new DynamoLog(connection);
  const stored = new DynamoMirrors(connection);
  const fold = new Fold();
  for (let rank = 0; rank < ENTRIES; rank++) {
    const subject = `ip:${formatAddress(addressOf(rank, family))}`;
    const reason = REASONS[rank % REASONS.length] ?? '';
    fold.apply({ key: { subject, list: LIST }, entry: { subject, list: LIST, action: 'deny', reason } });
  }
  const nothing = { stream: '', beats: {}, triedMs: 0, checkedMs: 0, changes: 0 };
  let made = 0;
  const newId = () => `bench${made}`;
  return async () => {
    const at = recordAfter(
      { number: made++, id: '', base: '', ...nothing },
      { base: `base${made}` },
      { newId, clock: Date.now },
    );
    await log.put(at);
    const unused = { scan: unasked as never, read: unasked, write: unasked, lease: unasked };
    const deps = { log, mirrors: stored, newId, clock: Date.now, wait: pause, version: '', ...unused };
    await putMirror({ fold, at }, { scannedMs: Date.now(), isTooLarge: false }, await stored.manifest(), deps);
  };
}

function unasked(): never {
  throw new Error('no mirror is built of the table here');
}

async function startAgent(cloud: LocalStack, folder: string, updates: object): Promise<AgentProcess> {
  const config = {
    listen: [`tcp://127.0.0.1:${await freePort()}`],
    lists: [LIST],
    backend: { url: cloud.outputs.FunctionUrl, auth: 'iam', region: cloud.outputs.Region },
    updates,
  };
  const env = { ...cloud.environmentOf('agent'), NODE_OPTIONS: `--import=${PRELOADED}` };
  return await startAgentProcess(config, folder, env, join(folder, 'cli/main.js'));
}

const heard = new WeakMap<AgentProcess, Map<string, number>>();

/** The next line with this message. */
async function said(agent: AgentProcess, msg: string): Promise<Line> {
  const limitMs = performance.now() + LIMIT_MS;
  const seen = heard.get(agent) ?? new Map<string, number>();
  heard.set(agent, seen);
  for (;;) {
    const lines = agent.lines.filter((line) => line.includes(`"msg":"${msg}"`));
    const next = lines[seen.get(msg) ?? 0];
    if (next !== undefined) {
      seen.set(msg, (seen.get(msg) ?? 0) + 1);
      return JSON.parse(next) as Line; // the agent logs JSON
    }
    if (performance.now() > limitMs)
      throw new Error(`the agent did not say ${msg}:\n${agent.lines.slice(-5).join('\n')}`);
    await pause(EVERY_MS);
  }
}
