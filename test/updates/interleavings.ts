/**
 * One order of the steps of several parties: whoever wants to take a step waits for its turn, and turns are given when every
 * party waits or is done.
 */
export class Interleaving {
  readonly #choose: (options: number) => number;
  readonly #waiting = new Map<string, () => void>();
  #running: number;

  constructor(parties: number, choose: (options: number) => number) {
    this.#running = parties;
    this.#choose = choose;
  }

  /** Resolves when it is this party's turn. */
  turn(party: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(party, resolve);
      this.done();
    });
  }

  /** A party takes no further steps. */
  done(): void {
    this.#running--;
    if (this.#running > 0 || this.#waiting.size === 0) return;
    const parties = [...this.#waiting.keys()].sort();
    const party = parties[this.#choose(parties.length)] ?? '';
    const resolve = this.#waiting.get(party);
    this.#waiting.delete(party);
    this.#running++;
    resolve?.();
  }
}

/** Runs every interleaving once; returns how many there are. */
export async function everyInterleaving(parties: number, run: (steps: Interleaving) => Promise<void>): Promise<number> {
  let choices: number[] | undefined = [];
  let runs = 0;
  while (choices !== undefined) {
    const chosen: number[] = choices;
    const options: number[] = [];
    const choose = (count: number) => {
      const at = options.push(count) - 1;
      const choice = chosen[at] ?? 0;
      chosen[at] = choice;
      return choice;
    };
    await run(new Interleaving(parties, choose));
    runs++;
    const last = options.findLastIndex((count, at) => (chosen[at] ?? 0) + 1 < count);
    choices = last < 0 ? undefined : [...chosen.slice(0, last), (chosen[last] ?? 0) + 1];
  }
  return runs;
}

/** Runs some interleavings, the same each time. */
export async function someInterleavings(
  count: number,
  parties: number,
  run: (steps: Interleaving) => Promise<void>,
): Promise<void> {
  let state = 1;
  const choose = (options: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % options;
  };
  for (let at = 0; at < count; at++) await run(new Interleaving(parties, choose));
}
