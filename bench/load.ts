import { connect, type Socket } from 'node:net';
import { typedOptions } from '../dev/typed-options.ts';
import { decodeAck } from '../spop/ack.ts';
import { FrameType } from '../spop/frame.ts';
import { FrameReader } from '../spop/frame-reader.ts';
import { haproxyHello } from './haproxy-hello.ts';
import { Histogram } from './histogram.ts';
import { createPool, type Pool, type PoolOptions } from './notify-pool.ts';

/** The result of one run of the load generator, written to standard output as one line of JSON. */
export interface LoadResult {
  readonly acks: number;
  /** All ACKs, including the warm-up. */
  readonly allAcks: number;
  readonly acksPerSecond: number;
  /** Microseconds from the (intended) sending of a NOTIFY to its ACK. */
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number };
  /** How late NOTIFYs were sent at a fixed rate: caused by the generator or the machine, not by the agent. */
  readonly lateUs: { readonly p99: number; readonly max: number };
  readonly wrong: number;
  /** The generator's CPU usage: near 1, the generator itself was the limit. */
  readonly generatorCpu: number;
}

/** The number of ACKs that each connection decodes and verifies during the warm-up. */
const VERIFIED_ACKS = 2_000;
const READ_BYTES = 256 * 1024;

interface LoadOptions {
  readonly target: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  /** NOTIFYs a second in total, sent on time even if ACKs are late; 0 sends the next one after each ACK. */
  readonly rate: number;
}

async function runLoad(pool: Pool, options: LoadOptions): Promise<LoadResult> {
  const latency = new Histogram();
  const late = new Histogram();
  const share = Math.floor(pool.size / options.connections);
  const connections = await Promise.all(
    Array.from({ length: options.connections }, (_, index) =>
      LoadConnection.open(options.target, pool, index * share, latency),
    ),
  );
  if (options.rate > 0) sendOnTime(connections, late, options);
  else for (const connection of connections) connection.keepInFlight(options.inFlight);
  await sleep(options.warmSeconds * 1000);
  latency.clear();
  late.clear();
  const before = { acks: total(connections), cpu: process.cpuUsage(), ms: performance.now() };
  await sleep(options.seconds * 1000);
  const seconds = (performance.now() - before.ms) / 1000;
  const acks = total(connections) - before.acks;
  const cpu = process.cpuUsage(before.cpu);
  const wrong = connections.reduce((sum, connection) => sum + connection.wrong, 0);
  for (const connection of connections) connection.close();
  return {
    acks,
    allAcks: before.acks + acks,
    acksPerSecond: Math.round(acks / seconds),
    latencyUs: { p50: latency.at(0.5), p99: latency.at(0.99), p999: latency.at(0.999), max: latency.at(1) },
    lateUs: { p99: late.at(0.99), max: late.at(1) },
    wrong,
    generatorCpu: Number(((cpu.user + cpu.system) / 1e6 / seconds).toFixed(2)),
  };
}

/** Sends at a fixed rate with a tight timer; latency counts from the due time, not from the sending. */
function sendOnTime(connections: readonly LoadConnection[], late: Histogram, { rate }: LoadOptions): void {
  const startedMs = performance.now();
  let sent = 0;
  const turn = () => {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * rate);
    for (; sent < due; sent++) {
      const dueMs = startedMs + (sent / rate) * 1000;
      late.add((performance.now() - dueMs) * 1000);
      (connections[sent % connections.length] as LoadConnection).send(1, dueMs); // in bounds
    }
    setImmediate(turn);
  };
  turn();
}

class LoadConnection {
  acks = 0;
  wrong = 0;
  readonly #socket: Socket;
  readonly #pool: Pool;
  readonly #latency: Histogram;
  /** The batches in flight: how many frames were sent, and when. */
  readonly #sent: { count: number; readonly atMs: number }[] = [];
  readonly #verifier = new FrameReader(16_384);
  #next: number;
  #refill = false;
  #skip = 0;
  #prefix = 0;
  #prefixBytes = 0;

  private constructor(socket: Socket, pool: Pool, first: number, latency: Histogram) {
    this.#socket = socket;
    this.#pool = pool;
    this.#next = first;
    this.#latency = latency;
  }

  static open(target: string, pool: Pool, first: number, latency: Histogram): Promise<LoadConnection> {
    const [host, port] = target.split(':');
    const where = target.startsWith('unix:') ? { path: target.slice(5) } : { host: host as string, port: Number(port) }; // split has one
    return new Promise((resolve, reject) => {
      let connection: LoadConnection | undefined;
      const callback = (bytes: number, buffer: Uint8Array): boolean => {
        if (connection !== undefined) connection.#receive(buffer.subarray(0, bytes));
        else {
          connection = new LoadConnection(socket, pool, first, latency);
          resolve(connection); // the whole AGENT-HELLO is here
        }
        return true;
      };
      const socket = connect({ ...where, noDelay: true, onread: { buffer: Buffer.alloc(READ_BYTES), callback } });
      socket.once('error', reject);
      socket.once('connect', () => socket.write(haproxyHello()));
    });
  }

  keepInFlight(count: number): void {
    this.#refill = true;
    this.send(count, performance.now());
  }

  send(count: number, atMs: number): void {
    const { starts, bytes, size } = this.#pool;
    const last = Math.min(this.#next + count, size);
    this.#sent.push({ count, atMs });
    this.#socket.write(bytes.subarray(starts[this.#next], starts[last]));
    const rest = this.#next + count - last;
    if (rest > 0) this.#socket.write(bytes.subarray(0, starts[rest]));
    this.#next = rest > 0 ? rest : last % size;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    if (this.acks < VERIFIED_ACKS) this.#verify(chunk);
    const count = this.#countFrames(chunk);
    this.acks += count;
    const nowMs = performance.now();
    for (let left = count; left > 0; ) {
      const oldest = this.#sent[0] as { count: number; atMs: number }; // an ACK answers something
      const answered = Math.min(left, oldest.count);
      this.#latency.add((nowMs - oldest.atMs) * 1000, answered);
      oldest.count -= answered;
      left -= answered;
      if (oldest.count === 0) this.#sent.shift();
    }
    if (this.#refill && count > 0) this.send(count, nowMs);
  }

  /** Skips over frames by their length alone, which is cheaper than any agent. */
  #countFrames(chunk: Uint8Array): number {
    let count = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        at += step;
        this.#skip -= step;
        if (this.#skip === 0) count++;
        continue;
      }
      this.#prefix = this.#prefix * 256 + (chunk[at++] as number); // in bounds: the loop's condition
      if (++this.#prefixBytes < 4) continue;
      this.#skip = this.#prefix;
      this.#prefix = 0;
      this.#prefixBytes = 0;
    }
    return count;
  }

  #verify(chunk: Uint8Array): void {
    this.#verifier.push(chunk);
    for (let frame = this.#verifier.next(); frame !== undefined; frame = this.#verifier.next()) {
      const index = (Number(frame.ids().streamId) - 1) / 2;
      const action = decodeAck(frame).find(({ name }) => name === 'action');
      const said =
        action?.type === 'set-var' && action.value.type === 'string' ? Buffer.from(action.value.value).toString() : '';
      if (frame.type !== FrameType.ack || said !== (this.#pool.listed[index] === 1 ? 'deny' : 'allow')) this.wrong++;
    }
  }
}

function total(connections: readonly LoadConnection[]): number {
  return connections.reduce((sum, { acks }) => sum + acks, 0);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const { values, number } = typedOptions('load', {
    target: { type: 'string', default: '127.0.0.1:9000' },
    connections: { type: 'string', default: '16' },
    inFlight: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '1' },
    warmSeconds: { type: 'string', default: '0.5' },
    rate: { type: 'string', default: '0' },
    addresses: { type: 'string', default: '200000' },
    family: { type: 'string', default: 'ipv4' },
    zipf: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  });
  const family = values.family as PoolOptions['family'];
  const pool = createPool({
    addresses: number('addresses'),
    family,
    zipf: number('zipf', { whole: false }),
    seed: number('seed'),
  });
  console.log(
    JSON.stringify(
      await runLoad(pool, {
        target: values.target,
        connections: number('connections'),
        inFlight: number('inFlight'),
        seconds: number('seconds', { whole: false }),
        warmSeconds: number('warmSeconds', { whole: false }),
        rate: number('rate', { whole: false }),
      }),
    ),
  );
  process.exit(0);
}
