import { encodeAck } from './ack.ts';
import { type AckActions, fitted, maxAckPayload, payloadBytes } from './ack-payload.ts';
import { ConnectionActivity } from './connection-activity.ts';
import type { ConnectionEvents } from './connection-events.ts';
import { decodeDisconnect, encodeAgentDisconnect } from './disconnect.ts';
import { Drain } from './drain.ts';
import { invalidFrame, SpopError, SpopStatus } from './errors.ts';
import { type Frame, FrameType } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { answerHello, decodeHaproxyHello, encodeAgentHello } from './hello.ts';
import type { CurrentHandler } from './notify-handler.ts';
import { OutputBuffer } from './output-buffer.ts';
import type { Clock, Transport } from './transport.ts';

/** The largest frame before HELLO; a HELLO has about 130 bytes. */
const MAX_HELLO_BYTES = 4096;
/** The largest frame size agreed to: a `tune.bufsize` of 1 MiB. */
const MAX_FRAME_BYTES = 1024 * 1024;
const HELLO_TIMEOUT_MS = 5_000;
/** HAProxy 2.6 to 3.0 reconnects in a tight loop while a request waits: 3000 connections a second, 10 with this delay. */
const REJECTION_DELAY_MS = 100;
/** HAProxy has at most 20 in flight (`max-waiting-frames` can raise it up to 3.0). */
const MAX_WAITING_FRAMES = 256;
/** Of 20 usual answers; for larger ones it grows. */
const LAST_ANSWERS_BYTES = 2048;

type State =
  | { readonly name: 'handshake'; readonly cancelTimer: () => void }
  | { readonly name: 'health check' }
  | { readonly name: 'open' }
  | { readonly name: 'draining'; readonly drain: Drain; readonly cancelTimer: () => void }
  | { readonly name: 'rejecting'; readonly cancelTimer: () => void }
  | { readonly name: 'closed' };

/**
 * One SPOP connection from the first byte to the last: bytes in, frames out, without a socket.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Connection, NO_ACTIONS, type NotifyHandler, systemClock, type Transport } from 'haverdict-spop';
 *
 * const written: Uint8Array[] = [];
 * const transport: Transport = { write: (bytes) => written.push(bytes.slice()) > 0, end() {} };
 * const handler: NotifyHandler = { answer: () => NO_ACTIONS, overload: () => NO_ACTIONS };
 * const events = { protocolError() {}, disconnectReceived() {}, answered() {}, answeredLate() {}, healthChecked() {} };
 * const connection = new Connection(transport, { current: handler }, systemClock, events);
 * connection.receive(Uint8Array.of(0, 0, 0)); // the beginning of a length
 * assert.equal(connection.activity.partialBytes, 3);
 * connection.abandon();
 * ```
 */
export class Connection {
  readonly activity: ConnectionActivity;
  readonly #transport: Transport;
  readonly #handler: CurrentHandler;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #reader = new FrameReader(MAX_HELLO_BYTES);
  #output: OutputBuffer;
  /** ACKs of promises that settled in this turn of the event loop. */
  readonly #settledAcks: Uint8Array[] = [];
  /** The ids of frames whose answer is a promise. */
  readonly #waiting = new Set<string>();
  readonly #write: (bytes: Uint8Array) => boolean;
  #state: State;
  #maxAckPayload = 0;

  /** Connections may share the output: it is empty whenever a method returns. */
  constructor(
    transport: Transport,
    handler: CurrentHandler,
    clock: Clock,
    events: ConnectionEvents,
    output = new OutputBuffer(),
  ) {
    this.#transport = transport;
    this.#output = output;
    this.#write = (bytes) => this.#state.name === 'closed' || transport.write(bytes);
    this.#handler = handler;
    this.#clock = clock;
    this.#events = events;
    this.activity = new ConnectionActivity(clock.nowMs());
    this.#state = {
      name: 'handshake',
      cancelTimer: clock.after(HELLO_TIMEOUT_MS, () =>
        this.fail(new SpopError(SpopStatus.timeout, `no HELLO within ${HELLO_TIMEOUT_MS} ms`)),
      ),
    };
  }

  /** Is the handshake done, and the connection not a health check? */
  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  /** Does a frame wait for its ACK? */
  get hasPending(): boolean {
    return this.#waiting.size > 0 || this.#settledAcks.length > 0;
  }

  /** Handles received bytes; all answers that are not promises are sent with one write before this returns. */
  receive(chunk: Uint8Array): void {
    if (this.#ignoresInput()) return;
    const receivedAtMs = this.#clock.nowMs();
    const acksBefore = this.#output.acks;
    this.#reader.push(chunk);
    try {
      while (this.#handleNext(receivedAtMs) && !this.#ignoresInput());
      if (this.#state.name === 'draining') this.#state.drain.received(this.#waiting.size);
    } catch (error) {
      if (!(error instanceof SpopError)) throw error;
      this.fail(error);
    } finally {
      if (!this.#holdsAnswers()) this.#flush();
    }
    this.activity.received(chunk.length, this.#reader, receivedAtMs);
    const frames = this.#output.acks - acksBefore;
    if (frames === 0) return;
    this.activity.hasNotified = true;
    this.#events.answered(frames, this.#clock.nowMs() - receivedAtMs);
  }

  /**
   * Shuts down: answers what waits and, for so long as the handler's deadline, what still comes; then sends DISCONNECT, in
   * one write with the last answers. Before the end of the handshake, and in a health check, it just closes.
   */
  drain(): void {
    switch (this.#state.name) {
      case 'open': {
        this.#output = new OutputBuffer(LAST_ANSWERS_BYTES);
        const events = { over: () => this.#endIfAnswered(), flush: () => this.#flush() };
        const drain = new Drain(this.#clock, this.#handler.deadlineMs, events);
        for (const _ of this.#settledAcks) drain.hold(Number.NEGATIVE_INFINITY, true); // written in this turn
        this.#state = { name: 'draining', drain, cancelTimer: () => drain.cancel() };
        return;
      }
      case 'handshake':
      case 'health check':
        this.#close();
        return;
      case 'draining':
      case 'rejecting':
      case 'closed':
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Closes the connection with this error; during the handshake after a delay. */
  fail(error: SpopError): void {
    if (this.#ignoresInput()) return;
    this.#events.protocolError(error, this.#transport.peer);
    const disconnect = encodeAgentDisconnect(error.status, error.message);
    if (this.#state.name !== 'handshake') {
      this.#output.frame(disconnect);
      this.#close();
      return;
    }
    this.#state.cancelTimer();
    const cancelTimer = this.#clock.after(REJECTION_DELAY_MS, () => {
      this.#output.frame(disconnect);
      this.#close();
    });
    this.#state = { name: 'rejecting', cancelTimer };
  }

  /** The socket is closed, or is to be destroyed: drops what waits. */
  abandon(): void {
    if ('cancelTimer' in this.#state) this.#state.cancelTimer();
    this.#state = { name: 'closed' };
    this.#waiting.clear();
  }

  /** Answers the usual frames at the reader, then handles the one behind them; false if there is no further frame. */
  #handleNext(receivedAtMs: number): boolean {
    // A frame with the ids of one that waits is an error: while any waits, `#onNotify` has to see every frame.
    const answer =
      this.#state.name === 'open' && this.#waiting.size === 0
        ? this.#handler.current.answerUsual?.(this.#reader, this.#output, this.#maxAckPayload, receivedAtMs)
        : undefined;
    const frame = this.#reader.next();
    if (frame === undefined) return false;
    if (answer === undefined) this.#handle(frame, receivedAtMs);
    else this.#answer(frame, answer, receivedAtMs);
    return true;
  }

  #handle(frame: Frame, receivedAtMs: number): void {
    if (frame.type === FrameType.notify) this.#onNotify(frame, receivedAtMs);
    else if (this.#state.name === 'handshake') this.#onHello(frame, this.#state.cancelTimer);
    else if (frame.type === FrameType.haproxyDisconnect) this.#onDisconnect(frame);
    else if (frame.type === FrameType.haproxyHello) throw invalidFrame('second HAPROXY-HELLO');
    else if (frame.type === FrameType.unset) {
      throw new SpopError(SpopStatus.interlacedFrames, 'UNSET frame without a fragmented NOTIFY');
    }
    // Any other type is skipped: SPOE.txt 3.2.2 asks for it.
  }

  #onHello(frame: Frame, cancelTimer: () => void): void {
    if (frame.type !== FrameType.haproxyHello) throw invalidFrame(`frame of type ${frame.type} before HAPROXY-HELLO`);
    const hello = decodeHaproxyHello(frame);
    cancelTimer();
    if (hello.healthcheck && this.#handler.failsChecks) {
      this.#disconnect('stopping');
      return;
    }
    const { isPipelined = true } = this.#handler;
    const answer = answerHello(hello, MAX_FRAME_BYTES, isPipelined);
    this.#output.frame(encodeAgentHello(answer));
    this.#state = hello.healthcheck ? { name: 'health check' } : { name: 'open' };
    if (hello.healthcheck) this.#events.healthChecked();
    // Not the answered size: 3.1.0 sends frames above it, up to what it announced itself.
    this.#reader.maxFrameBytes = Math.min(hello.maxFrameSize, MAX_FRAME_BYTES);
    this.#maxAckPayload = maxAckPayload(answer.maxFrameSize, isPipelined);
  }

  #onNotify(frame: Frame, receivedAtMs: number): void {
    if (this.#state.name !== 'open' && this.#state.name !== 'draining')
      throw invalidFrame(`NOTIFY during ${this.#state.name}`);
    if (!frame.isFinal) throw new SpopError(SpopStatus.fragmentationUnsupported, 'NOTIFY is fragmented');
    if (this.#state.name === 'draining' && !this.#state.drain.takesQuestions) return;
    if (frame.bytes[frame.frameIdAt] === 0) throw invalidFrame('NOTIFY with frame-id 0');
    if (this.#waiting.size > 0 && this.#waiting.has(frame.idsAsText()))
      throw invalidFrame('NOTIFY with ids that still wait for an ACK');
    const answer =
      this.#waiting.size < MAX_WAITING_FRAMES
        ? this.#handler.current.answer(frame, receivedAtMs, this.#maxAckPayload)
        : this.#handler.current.overload(frame, receivedAtMs, this.#maxAckPayload);
    this.#answer(frame, answer, receivedAtMs);
  }

  #answer(frame: Frame, answer: AckActions | Promise<AckActions>, receivedAtMs: number): void {
    if (answer instanceof Promise) {
      this.#answerLater(frame, answer, receivedAtMs);
      return;
    }
    const { actions, dynamic } = fitted(this.#maxAckPayload, answer);
    this.#output.ack(frame.bytes, frame.idsAt, frame.payloadAt, actions, dynamic);
    if (this.#state.name === 'draining') this.#state.drain.hold(receivedAtMs, false);
  }

  #answerLater(frame: Frame, answer: Promise<AckActions>, receivedAtMs: number): void {
    const key = frame.idsAsText();
    const ids = frame.copyIds();
    this.activity.hasNotified = true;
    this.#waiting.add(key);
    answer.then((answered) => {
      if (!this.#waiting.delete(key)) return;
      this.#events.answeredLate(this.#clock.nowMs() - receivedAtMs);
      this.#settledAcks.push(encodeAck(ids, payloadBytes(fitted(this.#maxAckPayload, answered))));
      if (this.#state.name === 'draining') this.#state.drain.hold(receivedAtMs, true);
      if (this.#settledAcks.length === 1) queueMicrotask(() => this.#flushSettled());
    });
  }

  #onDisconnect(frame: Frame): void {
    const { status, message } = decodeDisconnect(frame);
    if (status !== SpopStatus.normal && status !== SpopStatus.timeout)
      this.#events.disconnectReceived(status, message, this.#transport.peer);
    this.#disconnect();
  }

  #holdsAnswers(): boolean {
    return this.#state.name === 'draining' && this.#state.drain.isHolding;
  }

  #endIfAnswered(): void {
    if (this.#state.name === 'draining' && this.#state.drain.isOver && !this.hasPending) this.#disconnect();
  }

  #disconnect(message = 'normal'): void {
    this.#output.frame(encodeAgentDisconnect(SpopStatus.normal, message));
    this.#close();
  }

  #close(): void {
    this.#flush();
    this.abandon();
    this.#transport.end();
  }

  /** ACKs of one turn of the event loop are sent with one write. */
  #flushSettled(): void {
    for (const frame of this.#settledAcks) this.#output.frame(frame);
    this.#settledAcks.length = 0;
    this.#endIfAnswered();
    if (!this.#holdsAnswers()) this.#flush();
  }

  #flush(): void {
    if (!this.#output.isEmpty) this.#output.flush(this.#write);
    if (this.#state.name === 'draining') this.#state.drain.flushed();
  }

  #ignoresInput(): boolean {
    return this.#state.name === 'rejecting' || this.#state.name === 'closed';
  }
}
