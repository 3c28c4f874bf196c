// From the answer to a write until a client behind a real HAProxy gets 403, or 200 again: the stack in the local cloud with
// its real functions, an agent with default polls and verdicts that are kept for an hour.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Site, startSite, warmUp } from '../dev/guarded-site.ts';
import { PROGRAM } from '../dev/program-path.ts';
import { deployStack, type LocalStack } from '../dev/stack/local-stack.ts';

export interface ChangesRun {
  readonly by: string;
  readonly changes: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

const KEPT_SECONDS = 3600;
/** Addresses that are changed at a time. */
const AT_ONCE = 10;
const BY_HAND = 260;
const BY_COMMAND = 40;
/** Between two requests of one client. */
const EVERY_MS = 10;
/** A change that takes longer than this is not coming. */
const LIMIT_MS = 60_000;

/** Who writes; resolves when the table has answered. */
type Write = (address: string) => Promise<void>;

/** Measures changes by hand, as `aws dynamodb put-item` and `delete-item` make them, and by the command line. */
export async function measureChanges(): Promise<ChangesRun[]> {
  const cloud = await deployStack();
  const client = new DynamoDBClient({
    endpoint: cloud.dynamodbEndpoint,
    region: cloud.region,
    credentials: cloud.issue(cloud.outputs.OperatorPolicyArn ?? ''),
  });
  let site: Site | undefined;
  try {
    site = await startSite({
      backendUrl: cloud.outputs.FunctionUrl ?? '',
      config: {
        ...{ deadlineMs: 5000, cache: { allowTtlSeconds: KEPT_SECONDS, denyTtlSeconds: KEPT_SECONDS } },
        ...{ updates: { mode: 'invalidate' }, backend: { auth: 'iam', region: cloud.region, timeoutMs: 5000 } },
      },
      env: cloud.environmentOf('agent'),
    });
    await warmUp(site);
    while (!site.agent.lines.some((line) => line.includes('updates are followed'))) await pause(EVERY_MS);
    const TableName = cloud.outputs.TableName ?? '';
    const keyOf = (address: string) => ({ subject: { S: `ip:${address}` }, list: { S: 'manual' } });
    const put: Write = async (address) => {
      await client.send(new PutItemCommand({ TableName, Item: { ...keyOf(address), action: { S: 'deny' } } }));
    };
    const remove: Write = async (address) => {
      await client.send(new DeleteItemCommand({ TableName, Key: keyOf(address) }));
    };
    const hand = await measure(site, BY_HAND / 2, AT_ONCE, put, remove);
    const block: Write = (address) => command(cloud, 'block', address, '--force');
    const unblock: Write = (address) => command(cloud, 'remove', address);
    const line = await measure(site, BY_COMMAND / 2, 1, block, unblock);
    const all = [...hand.denied, ...hand.passed, ...line.denied, ...line.passed];
    return [
      runOf('put-item, until 403', hand.denied),
      runOf('delete-item, until 200', hand.passed),
      runOf('block, until 403', line.denied),
      runOf('remove, until 200', line.passed),
      runOf('all', all),
    ];
  } finally {
    client.destroy();
    await site?.stop();
    await cloud.close();
  }
}

/** So many addresses, each denied and let pass again. */
async function measure(site: Site, addresses: number, atOnce: number, deny: Write, pass: Write) {
  const denied: number[] = [];
  const passed: number[] = [];
  for (let first = 0; first < addresses; first += atOnce) {
    await pause(Math.random() * 1000); // polls are not waited for
    const group = Array.from(
      { length: Math.min(atOnce, addresses - first) },
      (_, n) => `127.${10 + atOnce}.${first}.${n + 1}`,
    );
    await Promise.all(group.map((from) => until(site, from, 200)));
    denied.push(...(await Promise.all(group.map((from) => timed(site, from, deny, 403)))));
    passed.push(...(await Promise.all(group.map((from) => timed(site, from, pass, 200)))));
  }
  return { denied, passed };
}

async function timed(site: Site, from: string, write: Write, status: number): Promise<number> {
  await write(from);
  const answeredMs = performance.now();
  await until(site, from, status);
  return performance.now() - answeredMs;
}

async function until(site: Site, from: string, status: number): Promise<void> {
  const limitMs = performance.now() + LIMIT_MS;
  while ((await site.visit(from)).status !== status) {
    if (performance.now() > limitMs) throw new Error(`${from} is not answered ${status}`);
    await pause(EVERY_MS);
  }
}

/** Runs the command line until it says that the table has answered; it ends by itself. */
async function command(cloud: LocalStack, ...args: string[]): Promise<void> {
  const env = { ...process.env, ...cloud.environmentOf('operator') };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${args.join(' ')} ended with ${code}`);
    }),
  ]);
}

function runOf(by: string, tookMs: readonly number[]): ChangesRun {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { by, changes: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1) };
}
