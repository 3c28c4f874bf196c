import { connect } from 'node:net';
import { type RawRequest, written } from './raw-request.ts';

/** Longer than HAProxy waits for anything that these requests leave out. */
const LIMIT_MS = 15_000;

/** Sends a request on a connection of its own, and reads until it is answered and the connection closed. */
export function exchange(request: RawRequest, port: number, from = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from, noDelay: true });
    let received = '';
    let isDone = false;
    const end = () => {
      if (isDone) return;
      isDone = true;
      socket.destroy();
      resolve(received);
    };
    socket.setEncoding('latin1');
    socket.setTimeout(LIMIT_MS, end);
    socket.on('data', (part) => {
      received += part;
      if (request.protocol === 'http/2' && isAnswered(received)) end();
    });
    socket.on('error', end);
    socket.on('end', end);
    socket.on('close', end);
    socket.write(written(request));
  });
}

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const GOAWAY = 7;

/** Whether the only stream, or the connection, was ended by the other side. */
function isAnswered(received: string): boolean {
  for (let at = 0; at + 9 <= received.length; ) {
    const byte = (offset: number) => received.charCodeAt(at + offset);
    const next = at + 9 + byte(0) * 65_536 + byte(1) * 256 + byte(2);
    if (next > received.length) return false;
    const [type, flags] = [byte(3), byte(4)];
    if (type === RST_STREAM || type === GOAWAY) return true;
    if ((type === DATA || type === HEADERS) && (flags & 1) === 1) return true;
    at = next;
  }
  return false;
}
