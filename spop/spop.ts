/**
 * SPOP 2.0, the protocol between HAProxy and a stream processing offload agent: everything needed to write an agent,
 * without a socket. `Connection` runs the protocol; below it, `FrameReader` cuts bytes into frames, and every encoder returns
 * a whole frame to write.
 *
 * @module haverdict/spop
 */
export {
  type Action,
  decodeAck,
  encodeAck,
  encodeActions,
  type ReceivedAction,
  Scope,
  VARIABLE_NAME,
} from './ack.ts';
export { type AckActions, type DynamicActions, NO_ACTIONS } from './ack-payload.ts';
export { Connection, type ConnectionEvents } from './connection.ts';
export { Cursor, decodeText } from './cursor.ts';
export { type Disconnect, decodeDisconnect, encodeAgentDisconnect } from './disconnect.ts';
export { SpopError, SpopStatus } from './errors.ts';
export { Frame, FrameFlag, FrameType, writeFrame } from './frame.ts';
export { FrameReader } from './frame-reader.ts';
export {
  type AgentHello,
  answerHello,
  decodeAgentHello,
  decodeHaproxyHello,
  encodeAgentHello,
  type HaproxyHello,
  MIN_MAX_FRAME_SIZE,
  SPOP_VERSION,
} from './hello.ts';
export { type Argument, decodeNotify, type Message, NotifyReader } from './notify.ts';
export type { CurrentHandler, NotifyHandler } from './notify-handler.ts';
export { OutputBuffer } from './output-buffer.ts';
export type { Clock, Transport } from './transport.ts';
export { DataType, type ReceivedData, type TypedData } from './typed-data.ts';
