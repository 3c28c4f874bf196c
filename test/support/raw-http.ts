import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawRequests {
  readonly port: number;
  /** The address that they come from. */
  readonly from: string;
  /** Sent first, a character a byte. */
  readonly preface?: string;
  /** The headers of each request, all on one connection. */
  readonly requests: readonly (readonly string[])[];
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
  /** Whether the port speaks TLS, and no certificate matters. */
  readonly tls?: boolean;
}

/** The statuses of requests that one connection sends, one after the other. */
export async function statusesOf(options: RawRequests): Promise<number[]> {
  const {
    port,
    from,
    preface = '',
    requests,
    path = '/',
    method = 'GET',
    host = 'shop.example',
    tls = false,
  } = options;
  const plain = connect({ port, host: '127.0.0.1', localAddress: from });
  const socket = (tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain).setEncoding('latin1');
  let received = '';
  socket.on('data', (text) => {
    received += text;
  });
  socket.on('error', () => {}); // HAProxy may reset it
  const closed = once(socket, 'close');
  const texts = requests.map((headers, index) =>
    [
      `${method} ${path} HTTP/1.1`,
      `Host: ${host}`,
      ...headers,
      ...(index === requests.length - 1 ? ['Connection: close'] : []),
      '\r\n',
    ].join('\r\n'),
  );
  socket.write(preface + texts.join(''), 'latin1');
  await closed;
  return [...received.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
}
