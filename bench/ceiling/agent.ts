// The ceiling of the runtime: the minimum work of a SPOP agent on Node. Skips over frames by their length and answers each
// NOTIFY with the same bytes; decodes and decides nothing, so half of its answers are wrong.
import { createServer, type Socket } from 'node:net';
import { encodeActions } from '../../spop/ack.ts';
import { Frame, FrameType, writeFrame } from '../../spop/frame.ts';
import { answerHello, decodeHaproxyHello, encodeAgentHello } from '../../spop/hello.ts';
import { withSharedReads } from '../../spop/server/shared-reads.ts';

const ACTIONS = encodeActions([
  { type: 'set-var', scope: 'txn', name: 'action', value: { type: 'string', value: 'allow' } },
  { type: 'set-var', scope: 'txn', name: 'source', value: { type: 'string', value: 'cache' } },
]);
const out = new Uint8Array(1024 * 1024);
const frame = new Frame();

const target = process.argv[2] ?? '9000';
const server = createServer({ noDelay: true, pauseOnConnect: true }, serve);
server.listen(
  target.startsWith('unix:') ? { path: target.slice(5) } : { host: '127.0.0.1', port: Number(target) },
  () => console.log('listening'),
);

function serve(accepted: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  const socket = withSharedReads(accepted, (chunk) => {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    let end = 0;
    while (bytes.length - at >= 4 && bytes.length - at >= 4 + view.getUint32(at)) {
      const next = at + 4 + view.getUint32(at);
      frame.moveTo(bytes, at + 4, next);
      if (frame.type === FrameType.haproxyHello)
        socket?.write(encodeAgentHello(answerHello(decodeHaproxyHello(frame), 16_380)));
      else end = writeFrame(out, end, FrameType.ack, bytes, frame.idsAt, frame.payloadAt, ACTIONS);
      at = next;
    }
    held = Buffer.from(bytes.subarray(at));
    if (end > 0) socket?.write(out.slice(0, end));
  });
  socket?.on('error', () => {});
}
