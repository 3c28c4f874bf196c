import { connect, type Socket } from 'node:net';

/** How a connection went, as the client saw it. */
export interface Knock {
  /** `reset` and `closed` are what the other side did; `silent` is that it did nothing until the limit. */
  readonly end: 'reset' | 'closed' | 'silent';
  readonly received: string;
  readonly tookMs: number;
}

export interface KnockOptions {
  readonly port: number;
  readonly from: string;
  /** What is sent as soon as the connection stands; by default a request that ends the connection. */
  readonly send?: string;
  /** How long silence is listened to. */
  readonly limitMs?: number;
}

/** A connection as bytes, so that a reset, a close and silence can be told apart. */
export function knock({ port, from, send = GET, limitMs = 300 }: KnockOptions): Promise<Knock> {
  const startedMs = performance.now();
  let received = '';
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: '127.0.0.1', port, localAddress: from });
    const ended = (end: Knock['end']) => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ end, received, tookMs: performance.now() - startedMs });
    };
    const limit = setTimeout(ended, limitMs, 'silent');
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(send));
    socket.on('data', (part) => {
      received += part;
    });
    socket.on('error', () => ended('reset'));
    socket.on('end', () => ended('closed'));
  });
}

const GET = 'GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n';
