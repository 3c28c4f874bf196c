import { HAPROXY_STREAMS } from './ack-payload.ts';
import type { Clock } from './transport.ts';

/**
 * How long a shutdown waits for a question to end the connection with. With what it then holds, it is over before two checks
 * of the wiring, 100 ms apart, find that nobody listens: up to 2.8 HAProxy then ends what is under way.
 */
const DRAIN_MS = 60;
/** How long it holds answers at most: HAProxy waits so much longer than the agent's deadline. */
const HOLD_MS = 20;
/** If nothing was asked for so long, hardly anything is on its way. */
const QUIET_MS = 10;

/**
 * When a connection that shuts down can end. HAProxy gives up every question that it has sent and that is not answered
 * before the DISCONNECT, also one that is still on its way, and asks no other agent. So the last answers are held: HAProxy sends
 * nothing more once it waits for as many as it may, or its clients wait for these: docs/decisions/0045-last-answers.md.
 */
export class Drain {
  #isOver = false;
  #isAsked = false;
  #cancelLimit: () => void;
  #cancelQuiet = () => {};
  readonly #clock: Clock;
  readonly #over: () => void;

  /** Calls `over` once, unless it is cancelled before. */
  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
    this.#cancelLimit = this.#endAfter(DRAIN_MS);
  }

  /** Answers are held no longer. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Something was received; HAProxy waits for so many answers now. */
  received(waiting: number): void {
    if (this.#isOver) return;
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#cancelLimit();
      this.#cancelLimit = this.#endAfter(HOLD_MS);
    }
    this.#cancelQuiet();
    if (waiting >= HAPROXY_STREAMS) this.#end();
    else this.#cancelQuiet = this.#endAfter(QUIET_MS);
  }

  cancel(): void {
    this.#cancelLimit();
    this.#cancelQuiet();
  }

  #end(): void {
    this.cancel();
    this.#isOver = true;
    this.#over();
  }

  /** What has arrived when the time is over is read before: Node runs timers first. */
  #endAfter(delayMs: number): () => void {
    let cancel = this.#clock.after(delayMs - 1, () => {
      cancel = this.#clock.after(1, () => this.#end());
    });
    return () => cancel();
  }
}
