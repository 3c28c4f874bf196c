import { setTimeout as delay } from 'node:timers/promises';
import type { Wait } from './retry.ts';

/** Keeps reads to so many read units a second, as their answers count them: the rest of the table's is for lookups. */
export class ReadPace {
  readonly #unitsPerSecond: number;
  readonly #clock: () => number;
  readonly #wait: Wait;
  #freeMs = 0;

  constructor(unitsPerSecond: number, clock: () => number = Date.now, wait: Wait = delay) {
    this.#unitsPerSecond = unitsPerSecond;
    this.#clock = clock;
    this.#wait = wait;
  }

  /** Reads as soon as what was read before is paid for. */
  async read<Answer>(read: () => Promise<Answer>, unitsOf: (answer: Answer) => number | undefined): Promise<Answer> {
    for (let nowMs = this.#clock(); this.#freeMs > nowMs; nowMs = this.#clock()) await this.#wait(this.#freeMs - nowMs);
    const answer = await read();
    this.#freeMs = Math.max(this.#freeMs, this.#clock()) + ((unitsOf(answer) ?? 0) * 1000) / this.#unitsPerSecond;
    return answer;
  }
}
