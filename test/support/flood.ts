// What one hostile client sends, as fast as it is answered, from a thread of its own.
import { once } from 'node:events';
import { connect } from 'node:net';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

/** Each makes the head of the request of a number, without `Host` and the client's address where it brings its own. */
export const FLOODS = {
  'ordinary requests, to compare with': () => head('/x'),
  'paths of 14 kB of /%': () => head(`/${'/%'.repeat(7000)}`),
  'paths of 4,000 bytes of /%': (n) => head(`/${n}${'/%'.repeat(1990)}`),
  'paths of 4,000 bytes of |': (n) => head(`/${n}${'|'.repeat(3990)}`),
  'paths of 4,000 bytes of %61': (n) => head(`/${n}${'%61'.repeat(1300)}`),
  'paths of 97 new folders': (n) => head(Array.from({ length: 97 }, (_, at) => `/${tag(at)}${tag(n)}`).join('')),
  'new paths': (n) => head(`/q${tag(n)}`),
  'hosts of 120 new labels': (n) => head('/', { host: `${`${tag(n % 1296)}.`.repeat(60)}example` }),
  'hosts of punycode': (n) => head('/', { host: `${'xn--p1ai.'.repeat(25)}${tag(n)}.example` }),
  'new hosts': (n) => head('/', { host: `${tag(n)}.example` }),
  'new keys': (n) => head('/', { 'x-api-key': tag(n) }),
  'keys of 7 kB': (n) => head('/', { 'x-api-key': `${tag(n)}${'k'.repeat(7000)}` }),
  'new user agents of 4 kB': (n) => head('/', { 'user-agent': `${tag(n)}${'ua '.repeat(1300)}` }),
  'new cookies among a thousand': (n) => head('/', { cookie: `${'a=;'.repeat(1000)} session=${tag(n)}` }),
  'cookies of 12 kB of session=': (n) => head('/', { cookie: `${'session='.repeat(1500)}${tag(n)}` }),
  'heads that make a message larger than a frame': (n) =>
    head('/', { 'x-api-key': 'k'.repeat(5000), 'user-agent': 'u'.repeat(5000), cookie: `a=${'c'.repeat(4500)}${n}` }),
  'new addresses of one /64': (n) =>
    head('/', { 'x-client': `2001:db8:0:1::${(n >>> 16).toString(16)}:${(n & 65535).toString(16)}` }),
  'new addresses of everywhere': (n) =>
    head('/', { 'x-client': `${20 + (n % 160)}.${(n >>> 3) & 255}.${(n >>> 11) & 255}.${n & 255}` }),
} as const satisfies Record<string, (n: number) => string>;

export type FloodKind = keyof typeof FLOODS;

/** A flood that runs. */
export interface Flood {
  /** Requests that were answered so far. */
  answered(): number;
  stop(): Promise<unknown>;
}

interface Order {
  readonly kind: FloodKind;
  readonly port: number;
  readonly connections: number;
  /** How many were answered, for both threads. */
  readonly answered: Int32Array;
}

export async function startFlood(order: Omit<Order, 'answered'>): Promise<Flood> {
  const answered = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(import.meta.filename, { workerData: { ...order, answered } });
  await once(worker, 'online');
  return { answered: () => Atomics.load(answered, 0), stop: () => worker.terminate() };
}

function tag(n: number): string {
  return n.toString(36);
}

function head(path: string, own: Readonly<Record<string, string>> = {}): string {
  const headers = Object.entries({ host: 'shop.example', 'x-client': '192.0.2.1', ...own });
  return `GET ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

function run({ kind, port, connections, answered }: Order): void {
  let sent = 0;
  const come = () => {
    const socket = connect(port, '127.0.0.1');
    const ask = () => socket.write(FLOODS[kind](sent++));
    socket.on('connect', ask);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (!chunk.toString('latin1').includes('HTTP/1.1 ')) return;
      Atomics.add(answered, 0, 1);
      ask();
    });
    socket.on('close', come);
  };
  for (let count = 0; count < connections; count++) come();
}

if (!isMainThread && workerData?.kind in FLOODS) run(workerData as Order);
