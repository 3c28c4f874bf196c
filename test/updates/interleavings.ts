/** Which of so many parties takes the next step; undefined ends the run. */
export type Choose = (options: number) => number | undefined;

/**
 * One order of the steps of several parties: whoever wants to take a step waits for its turn, and turns are given when every
 * party waits or is done.
 */
export class Interleaving {
  readonly #choose: Choose;
  readonly #waiting = new Map<string, () => void>();
  readonly #ended = Promise.withResolvers<void>();
  #running: number;

  constructor(parties: number, choose: Choose) {
    this.#running = parties;
    this.#choose = choose;
  }

  /** Resolves when no party takes a further step. */
  get ended(): Promise<void> {
    return this.#ended.promise;
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
    if (this.#running > 0) return;
    const parties = [...this.#waiting.keys()].sort();
    const choice = parties.length === 0 ? undefined : this.#choose(parties.length);
    if (choice === undefined) return void this.#ended.resolve();
    const party = parties[choice] ?? '';
    const resolve = this.#waiting.get(party);
    this.#waiting.delete(party);
    this.#running++;
    resolve?.();
  }
}

/**
 * Runs every interleaving. One that comes into a state that another one was in goes on as that did, and ends there. Returns
 * how many states there are.
 */
export async function everyInterleaving(
  parties: number,
  run: (steps: Interleaving) => { readonly ended: Promise<void>; state(): string },
): Promise<number> {
  const seen = new Set<string>();
  let choices: number[] | undefined = [];
  while (choices !== undefined) {
    const chosen: number[] = choices;
    const forced = chosen.length;
    const options: number[] = [];
    let world: { readonly ended: Promise<void>; state(): string } | undefined;
    const choose: Choose = (count) => {
      const state = world?.state() ?? 'the beginning';
      if (options.length >= forced && seen.has(state)) return undefined;
      seen.add(state);
      const at = options.push(count) - 1;
      const choice = chosen[at] ?? 0;
      chosen[at] = choice;
      return choice;
    };
    world = run(new Interleaving(parties, choose));
    await world.ended;
    const last = options.findLastIndex((count, at) => (chosen[at] ?? 0) + 1 < count);
    choices = last < 0 ? undefined : [...chosen.slice(0, last), (chosen[last] ?? 0) + 1];
  }
  return seen.size;
}

/** Runs some interleavings to their end, the same each time. */
export async function someInterleavings(
  count: number,
  parties: number,
  run: (steps: Interleaving) => { readonly ended: Promise<void> },
): Promise<void> {
  let state = 1;
  const choose = (options: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % options;
  };
  for (let at = 0; at < count; at++) await run(new Interleaving(parties, choose)).ended;
}
