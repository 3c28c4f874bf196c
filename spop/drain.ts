import { HAPROXY_STREAMS } from './ack-payload.ts';
import type { Clock } from './transport.ts';

/**
 * How long a shutdown waits for a question to end the connection with. With what it then holds, it is over before two checks
 * of the wiring, 100 ms apart, find that nobody listens: up to 2.8 HAProxy then ends what is under way.
 */
const DRAIN_MS = 60;
/** How long it holds answers at most: HAProxy waits so much longer than the agent's deadline. */
const HOLD_MS = 20;
/** How long it waits for a moment without an awaited answer, or the deadline if that is longer; then it takes no more questions. */
const AWAITING_MS = 1000;
/** If nothing was asked for so long, hardly anything is on its way. */
const QUIET_MS = 10;

/** What the connection does about it. */
export interface DrainEvents {
  /** It ends as soon as no answer is awaited. */
  over(): void;
  /** Held answers have to be written now. */
  flush(): void;
}

/**
 * When a connection that shuts down can end. HAProxy gives up every question that it has sent and that is not answered
 * before the DISCONNECT, also one that is still on its way, and asks no other agent. So the last answers are held: HAProxy sends
 * nothing more once it waits for as many as it may, or its clients wait for these: docs/decisions/0045-last-answers.md.
 */
export class Drain {
  readonly #clock: Clock;
  readonly #deadlineMs: number | undefined;
  readonly #events: DrainEvents;
  #isOver = false;
  #isAsked = false;
  #takesQuestions = true;
  #held = 0;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #cancelLimit: () => void;
  #cancelQuiet = () => {};
  #cancelDue = () => {};

  /** `deadlineMs` is how long after its question an answer comes at the latest, if that is known. */
  constructor(clock: Clock, deadlineMs: number | undefined, events: DrainEvents) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#events = events;
    this.#cancelLimit = this.#afterReading(DRAIN_MS, () => this.#end());
  }

  /** The connection ends as soon as no answer is awaited. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** False in the end: a question that comes now is given up, as it would be by waiting for it without an end. */
  get takesQuestions(): boolean {
    return this.#takesQuestions;
  }

  /** Answers are not written yet. */
  get isHolding(): boolean {
    return (
      this.#takesQuestions && this.#dueAtMs > this.#clock.nowMs() && (!this.#isOver || this.#deadlineMs !== undefined)
    );
  }

  /** Something was received, and so many answers are awaited now. */
  received(awaited: number): void {
    if (this.#isOver) return;
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#cancelLimit();
      this.#cancelLimit = this.#afterReading(HOLD_MS, () => this.#end());
    }
    this.#cancelQuiet();
    if (this.#held + awaited >= HAPROXY_STREAMS) this.#end();
    else this.#cancelQuiet = this.#afterReading(QUIET_MS, () => this.#end());
  }

  /** There is an answer to write, to a question of this time; `wasAwaited`, or it was given at once. */
  hold(receivedAtMs: number, wasAwaited: boolean): void {
    this.#held++;
    const dueAtMs = receivedAtMs + Math.max(this.#deadlineMs ?? 0, wasAwaited ? 0 : HOLD_MS);
    if (dueAtMs >= this.#dueAtMs) return;
    this.#dueAtMs = dueAtMs;
    this.#cancelDue();
    const leftMs = dueAtMs - this.#clock.nowMs();
    if (leftMs > 0) this.#cancelDue = this.#clock.after(leftMs, () => this.#events.flush());
  }

  /** All answers are written. */
  flushed(): void {
    this.#held = 0;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    this.#cancelDue();
  }

  cancel(): void {
    this.#cancelLimit();
    this.#cancelQuiet();
    this.#cancelDue();
  }

  #end(): void {
    this.#cancelLimit();
    this.#cancelQuiet();
    this.#isOver = true;
    if (this.#deadlineMs !== undefined)
      this.#cancelLimit = this.#clock.after(Math.max(AWAITING_MS, this.#deadlineMs), () => this.#refuse());
    this.#events.over();
  }

  #refuse(): void {
    this.#takesQuestions = false;
    this.#events.flush();
  }

  /** What has arrived when the time is over is read before: Node runs timers first. */
  #afterReading(delayMs: number, task: () => void): () => void {
    let cancel = this.#clock.after(delayMs - 1, () => {
      cancel = this.#clock.after(1, task);
    });
    return () => cancel();
  }
}
