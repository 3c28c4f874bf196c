import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  type Action,
  answerHello,
  decodeHaproxyHello,
  decodeNotify,
  encodeAck,
  encodeActions,
  encodeAgentHello,
  type Frame,
  FrameReader,
  FrameType,
  type Message,
} from '../../spop/spop.ts';

const MAX_FRAME_BYTES = 16_380;

/** An agent that answers whatever the test says: `undefined` leaves HAProxy waiting. */
export async function startScriptedAgent(
  t: { after(clean: () => void): void },
  answer: (messages: readonly Message[]) => readonly Action[] | undefined,
): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const reader = new FrameReader(MAX_FRAME_BYTES);
    socket.on('error', () => {}); // a health check ends with a reset
    socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) reply(socket, frame, answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  t.after(stop);
  return { port, stop };
}

function reply(
  socket: Socket,
  frame: Frame,
  answer: (messages: readonly Message[]) => readonly Action[] | undefined,
): void {
  if (frame.type === FrameType.haproxyHello)
    socket.write(encodeAgentHello(answerHello(decodeHaproxyHello(frame), MAX_FRAME_BYTES)));
  if (frame.type !== FrameType.notify) return;
  const actions = answer(decodeNotify(frame));
  if (actions !== undefined) socket.write(encodeAck(frame.copyIds(), encodeActions(actions)));
}
