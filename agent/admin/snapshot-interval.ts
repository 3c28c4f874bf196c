import type { HistogramState } from '../state/histogram.ts';
import type { AgentState } from '../state/state.ts';
import type { Snapshot } from './snapshots.ts';

/** Rates and differences between two snapshots; with only one, since the start. */
export class SnapshotInterval {
  readonly #state: AgentState;
  readonly #before: AgentState | undefined;
  readonly seconds: number;

  constructor({ state, before }: Snapshot) {
    this.#state = state;
    this.#before = before;
    this.seconds = Math.max(0.001, (state.takenAtMs - (before?.takenAtMs ?? state.startedAtMs)) / 1000);
  }

  get isSinceStart(): boolean {
    return this.#before === undefined;
  }

  /** The increase of a counter; never negative, though a replaced worker starts from 0. */
  growth(pick: (state: AgentState) => number): number {
    return Math.max(0, pick(this.#state) - (this.#before === undefined ? 0 : pick(this.#before)));
  }

  perSecond(pick: (state: AgentState) => number): number {
    return this.growth(pick) / this.seconds;
  }

  /** The values added to a histogram in the interval. */
  histogram(pick: (state: AgentState) => HistogramState): HistogramState {
    const { bounds, counts, sumSeconds } = pick(this.#state);
    const before = this.#before === undefined ? undefined : pick(this.#before);
    return {
      bounds,
      counts: counts.map((times, index) => Math.max(0, times - (before?.counts[index] ?? 0))),
      sumSeconds: sumSeconds - (before?.sumSeconds ?? 0),
    };
  }
}
