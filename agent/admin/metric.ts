import type { HistogramState } from '../state/histogram.ts';
import type { AgentState } from '../state/state.ts';

/** One line of a metric. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of a histogram: `…_bucket`, `…_sum` or `…_count`; else the metric's own. */
  readonly metricName?: string;
}

/** What the process that serves the metrics takes of the host. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtSeconds: number;
}

export interface Reading {
  readonly state: AgentState;
  readonly usage: ProcessUsage;
}

/** A metric as a reader of them knows it, and where its values are. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The names of its labels; a histogram also has `le`. */
  readonly labels: readonly string[];
  readonly samples: (reading: Reading) => readonly Sample[];
}

type Value = (reading: Reading) => number;

export function gauge(name: string, help: string, value: Value): Metric {
  return { name, type: 'gauge', help, labels: [], samples: (reading) => [{ value: value(reading) }] };
}

/** One that is not there as long as it has no value. */
export function optionalGauge(name: string, help: string, value: (reading: Reading) => number | undefined): Metric {
  const samples = (reading: Reading) =>
    [value(reading)].flatMap((known) => (known === undefined ? [] : [{ value: known }]));
  return { name, type: 'gauge', help, labels: [], samples };
}

export function counter(name: string, help: string, value: Value): Metric {
  return { ...gauge(name, help, value), type: 'counter' };
}

/** A counter for each of some names that are the values of one label. */
export function counters(
  name: string,
  help: string,
  label: string,
  counts: (reading: Reading) => Readonly<Record<string, number>>,
): Metric {
  const samples = (reading: Reading) =>
    Object.entries(counts(reading)).map(([key, value]) => ({ value, labels: { [label]: key } }));
  return { name, type: 'counter', help, labels: [label], samples };
}

/** A histogram in seconds. Its counts are not cumulative, those of Prometheus are. */
export function histogram(name: string, help: string, pick: (state: AgentState) => HistogramState): Metric {
  const samples = ({ state }: Reading): Sample[] => {
    const { bounds, counts, sumSeconds } = pick(state);
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      return { metricName: `${name}_bucket`, labels: { le: String(bounds[index] ?? '+Inf') }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, value: sumSeconds },
      { metricName: `${name}_count`, value: total },
    ];
  };
  return { name, type: 'histogram', help, labels: [], samples };
}
