/**
 * SPOP 2.0, the protocol between HAProxy and a stream processing offload agent: everything needed to write an agent,
 * pure and without a socket. Bytes come in through `FrameReader`, and every encoder returns a whole frame to write.
 *
 * @module haverdict/spop
 */
export {
  type Action,
  decodeAck,
  type EventName,
  encodeAck,
  encodeActions,
  type ReceivedAction,
  Scope,
  SETTABLE_SCOPES,
  VARIABLE_NAME,
} from './ack.ts';
export { Cursor, decodeText } from './cursor.ts';
export { DataType, type ReceivedData, type TypedData } from './data.ts';
export { type Disconnect, decodeDisconnect, encodeAgentDisconnect } from './disconnect.ts';
export { SpopError, SpopStatus } from './errors.ts';
export { Frame, FrameFlag, FrameType, writeFrame } from './frame.ts';
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
export { FrameReader } from './reader.ts';
