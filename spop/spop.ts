/**
 * SPOP 2.0, the protocol between HAProxy and a stream processing offload agent. `createAgent` is a whole agent; below it,
 * `Connection` runs the protocol without a socket, `FrameReader` cuts bytes into frames, and every encoder returns a whole
 * frame to write.
 *
 * @module haverdict-spop
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
export { formatAddress, parseAddress } from './address.ts';
export { AGENT_ERRORS, AgentError, type AgentErrorCode } from './agent/agent-error.ts';
export {
  type Agent,
  type AgentFunctions,
  type AgentOptions,
  createAgent,
} from './agent/create-agent.ts';
export {
  type ArgumentsOf,
  type DeclaredMessage,
  type MessageContext,
  type MessageFunction,
  message,
  type SetDeclared,
  type SetVariable,
} from './agent/message.ts';
export type { Fallback, FallbackContext, FallbackReason } from './agent/message-call.ts';
export type { ArgumentValue, Declared, ValueType, ValueTypes, VariableValue } from './agent/values.ts';
export { Connection } from './connection.ts';
export type { ConnectionEvents } from './connection-events.ts';
export { Cursor, decodeText } from './cursor.ts';
export { type Disconnect, decodeDisconnect, encodeAgentDisconnect } from './disconnect.ts';
export { SpopError, SpopStatus } from './errors.ts';
export { Frame, FrameFlag, FrameType, writeFrame } from './frame.ts';
export { FrameReader } from './frame-reader.ts';
export {
  type AgentWiring,
  type HaproxyFiles,
  haproxyFiles,
  type MessageWiring,
  SPOE_EVENTS,
  type SpoeEvent,
} from './haproxy/haproxy-files.ts';
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
export { ListenError } from './server/listen-error.ts';
export type { ListenOptions } from './server/listen-options.ts';
export { type Clock, systemClock, type Transport } from './transport.ts';
export { DataType, type ReceivedData, type TypedData } from './typed-data.ts';
