import { encodeAck } from '../../spop/ack.ts';
import { decodeDisconnect, encodeAgentDisconnect } from '../../spop/disconnect.ts';
import { invalidFrame, SpopError, SpopStatus } from '../../spop/errors.ts';
import { type Frame, FrameType } from '../../spop/frame.ts';
import { answerHello, decodeHaproxyHello, encodeAgentHello } from '../../spop/hello.ts';
import { FrameReader } from '../../spop/reader.ts';
import type { Clock } from '../decision/clock.ts';
import { Activity } from './activity.ts';
import { type Answer, joined, within } from './answer.ts';
import type { CurrentHandler } from './notify-handler.ts';
import { OutputBuffer } from './output.ts';

/** The socket as the connection knows it. */
export interface Peer {
  /** Sends bytes; true when they are free to be overwritten on return. */
  write(bytes: Uint8Array): boolean;
  /** Sends nothing more, and closes once everything is sent. */
  end(): void;
}

export interface ConnectionEvents {
  /** The peer broke the protocol; the connection is being closed with this error's status. */
  protocolError(error: SpopError): void;
  /** The peer announced a DISCONNECT with a status other than 0 (normal) and 2 (idle timeout), which are routine. */
  peerComplained(status: number, message: string): void;
  /** So many frames were answered as soon as they came, the last of them after so long. */
  answered(frames: number, tookMs: number): void;
  /** One frame was answered that had to wait. */
  answeredLate(tookMs: number): void;
  /** HAProxy only wanted to know whether anybody is there. */
  healthChecked(): void;
}

/** Before HELLO nothing larger is read; a HELLO is about 130 bytes. */
const MAX_HELLO_BYTES = 4096;
/** The largest frame size agreed to: a `tune.bufsize` of 1 MiB. */
const MAX_FRAME_BYTES = 1024 * 1024;
const HELLO_TIMEOUT_MS = 5_000;
/** HAProxy 2.6 to 3.0 reconnects in a tight loop while a request waits: 3000 connections a second, 10 with this delay. */
const REFUSAL_DELAY_MS = 100;
/** How long frames may have been on their way when a shutdown begins; on one host they are there at once. */
const LAST_FRAMES_MS = 20;
/** HAProxy has at most 20 in flight (`max-waiting-frames` can raise it up to 3.0). */
const MAX_WAITING_FRAMES = 256;
/** From 3.1, as many streams share a connection; see `#largestAckPayload`. */
const HAPROXY_STREAMS = 20;
const ACK_HEADER_BYTES = 4 + 5 + 20;

type State =
  | { readonly name: 'greeting'; readonly cancelTimer: () => void }
  | { readonly name: 'checking' }
  | { readonly name: 'open' }
  | { readonly name: 'draining'; hasHeard: boolean; readonly cancelTimer: () => void }
  | { readonly name: 'refusing'; readonly cancelTimer: () => void }
  | { readonly name: 'closed' };

/** One SPOP connection from the first byte to the last: bytes in, frames out, and no socket in sight. */
export class Connection {
  readonly activity: Activity;
  readonly #peer: Peer;
  readonly #handler: CurrentHandler;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  readonly #reader = new FrameReader(MAX_HELLO_BYTES);
  readonly #output: OutputBuffer;
  /** ACKs of lookups that ended in this turn of the event loop. */
  readonly #late: Uint8Array[] = [];
  readonly #waiting = new Set<string>();
  readonly #write: (bytes: Uint8Array) => boolean;
  #state: State;
  #largestAckPayload = 0;

  /** The output may be shared by all connections: it is empty again whenever a method returns. */
  constructor(
    peer: Peer,
    handler: CurrentHandler,
    clock: Clock,
    events: ConnectionEvents,
    output = new OutputBuffer(),
  ) {
    this.#peer = peer;
    this.#output = output;
    this.#write = (bytes) => this.#state.name === 'closed' || peer.write(bytes);
    this.#handler = handler;
    this.#clock = clock;
    this.#events = events;
    this.activity = new Activity(clock.nowMs());
    this.#state = {
      name: 'greeting',
      cancelTimer: clock.after(HELLO_TIMEOUT_MS, () =>
        this.fail(new SpopError(SpopStatus.timeout, `no HELLO within ${HELLO_TIMEOUT_MS} ms`)),
      ),
    };
  }

  /** True once HAProxy has introduced itself for traffic. */
  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  /** True while an answer is owed. */
  get isWorking(): boolean {
    return this.#waiting.size > 0 || this.#late.length > 0;
  }

  /** Takes what the socket received; everything it leads to at once is sent with one write before this returns. */
  receive(chunk: Uint8Array): void {
    if (this.#isDeaf()) return;
    const receivedAtMs = this.#clock.nowMs();
    const acksBefore = this.#output.acks;
    this.#reader.push(chunk);
    try {
      while (this.#handleNext(receivedAtMs) && !this.#isDeaf());
      this.#hear();
    } catch (error) {
      if (!(error instanceof SpopError)) throw error;
      this.fail(error);
    } finally {
      this.#flush();
    }
    this.activity.heard(chunk.length, this.#reader, receivedAtMs);
    const frames = this.#output.acks - acksBefore;
    if (frames === 0) return;
    this.activity.hasAsked = true;
    this.#events.answered(frames, this.#clock.nowMs() - receivedAtMs);
  }

  /**
   * Answers what waits, then says goodbye: for a shutdown. What HAProxy has sent already may still be in the socket: the
   * goodbye goes with the answers to what comes next, so that none of it is lost, or after a moment without. A connection that is only greeting or checking just ends.
   */
  drain(): void {
    switch (this.#state.name) {
      case 'open':
        this.#state = {
          name: 'draining',
          hasHeard: false,
          cancelTimer: this.#clock.after(LAST_FRAMES_MS, () => this.#hear()),
        };
        return;
      case 'greeting':
      case 'checking':
        this.#close();
        return;
      case 'draining':
      case 'refusing':
      case 'closed':
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Ends the connection for what the peer did; during the handshake only after a while. */
  fail(error: SpopError): void {
    if (this.#isDeaf()) return;
    this.#events.protocolError(error);
    const disconnect = encodeAgentDisconnect(error.status, error.message);
    if (this.#state.name !== 'greeting') {
      this.#output.frame(disconnect);
      this.#close();
      return;
    }
    this.#state.cancelTimer();
    const cancelTimer = this.#clock.after(REFUSAL_DELAY_MS, () => {
      this.#output.frame(disconnect);
      this.#close();
    });
    this.#state = { name: 'refusing', cancelTimer };
  }

  /** The socket is gone, or must go now: forgets what waits; answers that still come are dropped. */
  abandon(): void {
    if ('cancelTimer' in this.#state) this.#state.cancelTimer();
    this.#state = { name: 'closed' };
    this.#waiting.clear();
  }

  /** Answers the usual frames at the reader, then handles the one behind them; false if there is no further frame. */
  #handleNext(receivedAtMs: number): boolean {
    // A second frame with ids that still wait is an error: where any wait, `#onNotify` has to see every frame.
    const answer =
      this.#state.name === 'open' && this.#waiting.size === 0
        ? this.#handler.current.answerUsual(this.#reader, this.#output, this.#largestAckPayload, receivedAtMs)
        : undefined;
    const frame = this.#reader.next();
    if (frame === undefined) return false;
    if (answer === undefined) this.#handle(frame, receivedAtMs);
    else this.#answer(frame, answer, receivedAtMs);
    return true;
  }

  #handle(frame: Frame, receivedAtMs: number): void {
    if (frame.type === FrameType.notify) this.#onNotify(frame, receivedAtMs);
    else if (this.#state.name === 'greeting') this.#onHello(frame, this.#state.cancelTimer);
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
    const answer = answerHello(hello, MAX_FRAME_BYTES);
    this.#output.frame(encodeAgentHello(answer));
    this.#state = hello.healthcheck ? { name: 'checking' } : { name: 'open' };
    if (hello.healthcheck) this.#events.healthChecked();
    // Not the answered size: 3.1.0 sends frames above it, up to what it announced itself.
    this.#reader.maxFrameBytes = Math.min(hello.maxFrameSize, MAX_FRAME_BYTES);
    // From 3.1 to 3.5-dev5 a connection on which tune.bufsize bytes wait unread is dead for good. No more than 20 ACKs
    // can wait there, so none may be larger than a twentieth of what is left of the buffer.
    this.#largestAckPayload = Math.floor((answer.maxFrameSize + 3) / HAPROXY_STREAMS) - ACK_HEADER_BYTES;
  }

  #onNotify(frame: Frame, receivedAtMs: number): void {
    if (this.#state.name !== 'open' && this.#state.name !== 'draining')
      throw invalidFrame(`NOTIFY while ${this.#state.name}`);
    if (!frame.isFinal) throw new SpopError(SpopStatus.fragmentationUnsupported, 'NOTIFY is fragmented');
    if (frame.bytes[frame.frameIdAt] === 0) throw invalidFrame('NOTIFY with frame-id 0');
    if (this.#waiting.size > 0 && this.#waiting.has(frame.idsAsText()))
      throw invalidFrame('NOTIFY with ids that still wait for an ACK');
    const answer =
      this.#waiting.size < MAX_WAITING_FRAMES
        ? this.#handler.current.answer(frame, receivedAtMs, this.#largestAckPayload)
        : this.#handler.current.overload(frame, receivedAtMs, this.#largestAckPayload);
    this.#answer(frame, answer, receivedAtMs);
  }

  #answer(frame: Frame, answer: Answer | Promise<Answer>, receivedAtMs: number): void {
    if (answer instanceof Promise) this.#answerLater(frame, answer, receivedAtMs);
    else this.#acknowledge(frame, answer);
  }

  #answerLater(frame: Frame, answer: Promise<Answer>, receivedAtMs: number): void {
    const key = frame.idsAsText();
    const ids = frame.copyIds();
    this.activity.hasAsked = true;
    this.#waiting.add(key);
    answer.then((answered) => {
      if (!this.#waiting.delete(key)) return;
      this.#events.answeredLate(this.#clock.nowMs() - receivedAtMs);
      this.#late.push(encodeAck(ids, joined(within(this.#largestAckPayload, answered))));
      if (this.#late.length === 1) queueMicrotask(() => this.#flushLate());
    });
  }

  #onDisconnect(frame: Frame): void {
    const { status, message } = decodeDisconnect(frame);
    if (status !== SpopStatus.normal && status !== SpopStatus.timeout) this.#events.peerComplained(status, message);
    this.#leave();
  }

  #acknowledge(frame: Frame, answer: Answer): void {
    const { actions, suffix } = within(this.#largestAckPayload, answer);
    this.#output.ack(frame.bytes, frame.idsAt, frame.payloadAt, actions, suffix);
  }

  /** What HAProxy had sent before it could know of the shutdown is here, or will not come. */
  #hear(): void {
    if (this.#state.name !== 'draining') return;
    this.#state.hasHeard = true;
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#state.name !== 'draining' || !this.#state.hasHeard) return;
    if (this.#waiting.size === 0 && this.#late.length === 0) this.#leave();
  }

  #leave(): void {
    this.#output.frame(encodeAgentDisconnect(SpopStatus.normal, 'normal'));
    this.#close();
  }

  #close(): void {
    this.#flush();
    this.abandon();
    this.#peer.end();
  }

  /** Answers that come in the same turn of the event loop leave with one write. */
  #flushLate(): void {
    for (const frame of this.#late) this.#output.frame(frame);
    this.#late.length = 0;
    this.#flush();
    this.#leaveIfDone();
  }

  #flush(): void {
    if (!this.#output.isEmpty) this.#output.flush(this.#write);
  }

  #isDeaf(): boolean {
    return this.#state.name === 'refusing' || this.#state.name === 'closed';
  }
}
