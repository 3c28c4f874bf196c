import type { Clock } from './transport.ts';

/** What is to be over at a time. */
export interface Due {
  readonly dueAtMs: number;
  /** It was not over in time, and is no longer in the list. */
  late(): void;
}

/** Equal time limits of any number of waiting ones, with one timer. */
export class Deadlines {
  readonly #clock: Clock;
  /** The earliest first, since each has the same limit. */
  readonly #due = new Set<Due>();
  #isTimed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#due.size;
  }

  /** Times must not decrease. */
  add(due: Due): void {
    this.#due.add(due);
    if (!this.#isTimed) this.#time(due);
  }

  delete(due: Due): void {
    this.#due.delete(due);
  }

  #time({ dueAtMs }: Due): void {
    this.#isTimed = true;
    this.#clock.after(Math.max(0, dueAtMs - this.#clock.nowMs()), () => this.#expire());
  }

  /** What `late` adds is timed only behind those that are due before it. */
  #expire(): void {
    const nowMs = this.#clock.nowMs();
    for (const due of this.#due) {
      if (due.dueAtMs > nowMs) {
        this.#time(due);
        return;
      }
      this.#due.delete(due);
      due.late();
    }
    this.#isTimed = false;
  }
}
