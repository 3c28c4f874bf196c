import { setTimeout as delay } from 'node:timers/promises';
import type { Wait } from './retry.ts';

/** Units a second from a number of units on. */
export interface LaterPace {
  readonly afterUnits: number;
  unitsPerSecond(): Promise<number>;
}

/** Keeps reads to so many read units a second, as their answers count them: the rest of the table's is for lookups. */
export class ReadPace {
  #unitsPerSecond: number;
  readonly #clock: () => number;
  readonly #wait: Wait;
  /** Asked for once, by the first read after so many units. */
  readonly #later: LaterPace | undefined;
  #asked: Promise<number> | undefined;
  #units = 0;
  #freeMs = 0;

  constructor(unitsPerSecond: number, clock: () => number = Date.now, wait: Wait = delay, later?: LaterPace) {
    this.#unitsPerSecond = unitsPerSecond;
    this.#clock = clock;
    this.#wait = wait;
    this.#later = later;
  }

  /** Reads as soon as what was read before is paid for. */
  async read<Answer>(read: () => Promise<Answer>, unitsOf: (answer: Answer) => number | undefined): Promise<Answer> {
    if (this.#units >= (this.#later?.afterUnits ?? Number.POSITIVE_INFINITY)) await this.#known();
    for (let nowMs = this.#clock(); this.#freeMs > nowMs; nowMs = this.#clock()) await this.#wait(this.#freeMs - nowMs);
    const answer = await read();
    const units = unitsOf(answer) ?? 0;
    this.#units += units;
    this.#freeMs = Math.max(this.#freeMs, this.#clock()) + (units * 1000) / this.#unitsPerSecond;
    return answer;
  }

  async #known(): Promise<void> {
    this.#asked ??= this.#later?.unitsPerSecond();
    this.#unitsPerSecond = (await this.#asked) ?? this.#unitsPerSecond;
  }
}
