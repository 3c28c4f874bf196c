import { addHistograms, emptyHistogram, type Histogram } from './histogram.ts';

/** A line of a metric in Prometheus's text format. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** The suffix of the name in histograms. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

export interface MetricHeader {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The names of the labels; a histogram also has `le`. */
  readonly labels: readonly string[];
}

/** Defines a value in the state of the agent: its metric, its initial value, and how to merge the values of workers. */
export interface MetricDefinition<Value> extends MetricHeader {
  zero(): Value;
  merge(one: Value, other: Value): Value;
  samples(value: Value): readonly Sample[];
}

export type MetricDefinitions = Readonly<Record<string, MetricDefinition<unknown>>>;

/** The values of defined metrics, by the same names. */
export type ValuesOf<Section extends MetricDefinitions> = {
  readonly [Name in keyof Section]: Section[Name] extends MetricDefinition<infer Value> ? Value : never;
};

export type Mutable<Values> = { -readonly [Name in keyof Values]: Values[Name] };

export function zeros<Section extends MetricDefinitions>(section: Section): Mutable<ValuesOf<Section>> {
  return mapped(section, (measure) => measure.zero());
}

/** A copy of the values of a section. */
export function copyOf<Section extends MetricDefinitions>(
  section: Section,
  values: ValuesOf<Section>,
): ValuesOf<Section> {
  return mapped(section, (_, name) => structuredClone(values[name]));
}

/** Merges the values of several workers, of which there must be at least one. */
export function merged<Section extends MetricDefinitions>(
  section: Section,
  several: readonly ValuesOf<Section>[],
): ValuesOf<Section> {
  return mapped(section, (measure, name) => several.map((values): unknown => values[name]).reduce(measure.merge));
}

/** An object with the results of a function for each metric, by name. */
function mapped<Section extends MetricDefinitions>(
  section: Section,
  valueFor: (measure: MetricDefinition<unknown>, name: keyof Section) => unknown,
): ValuesOf<Section> {
  const values = Object.entries(section).map(([name, measure]) => [name, valueFor(measure, name)]);
  return Object.fromEntries(values) as ValuesOf<Section>; // each metric has a value of its type
}

export function counter(name: string, help: string): MetricDefinition<number> {
  return { ...summed, name, type: 'counter', help, labels: [] };
}

/** A gauge, summed over the workers. */
export function gauge(name: string, help: string): MetricDefinition<number> {
  return { ...counter(name, help), type: 'gauge' };
}

/** A gauge that has no value at times; merged as the maximum of all workers, and without a value if one has none. */
export function greatest(name: string, help: string): MetricDefinition<number | null> {
  return {
    ...{ name, type: 'gauge', help, labels: [] },
    zero: () => null,
    merge: (one, other) => (one === null || other === null ? null : Math.max(one, other)),
    samples: (value) => (value === null ? [] : [{ value }]),
  };
}

/** A counter for each value of one label; the series of `keys` exist from the start. */
export function counterBy<Key extends string>(
  name: string,
  help: string,
  label: string,
  keys: readonly Key[],
): MetricDefinition<Record<Key, number>> {
  return { ...byLabel(label, keys, add), name, type: 'counter', help, labels: [label] };
}

/** A gauge for each value of one label, merged as the maximum of all workers. */
export function greatestBy<Key extends string>(
  name: string,
  help: string,
  label: string,
  keys: readonly Key[],
): MetricDefinition<Record<Key, number>> {
  return { ...byLabel(label, keys, Math.max), name, type: 'gauge', help, labels: [label] };
}

/** A state, given from the best to the worst: a gauge for each, which is 1 for the current one. Merged as the worst. */
export function stateOf<State extends string>(
  name: string,
  help: string,
  states: readonly [State, ...State[]],
): MetricDefinition<State> {
  return {
    ...{ name, type: 'gauge', help, labels: ['state'] },
    zero: () => states[0],
    merge: (one, other) => (states.indexOf(one) > states.indexOf(other) ? one : other),
    samples: (value) => states.map((state) => ({ labels: { state }, value: Number(state === value) })),
  };
}

/** A histogram of seconds. */
export function histogram(name: string, help: string, bounds: readonly number[]): MetricDefinition<Histogram> {
  return {
    ...{ name, type: 'histogram', help, labels: [] },
    zero: () => emptyHistogram(bounds),
    merge: addHistograms,
    samples: cumulative,
  };
}

const add = (one: number, other: number): number => one + other;

const summed = { zero: () => 0, merge: add, samples: (value: number): Sample[] => [{ value }] };

function byLabel<Key extends string>(
  label: string,
  keys: readonly Key[],
  merge: (one: number, other: number) => number,
): Pick<MetricDefinition<Record<Key, number>>, 'zero' | 'merge' | 'samples'> {
  const of = (entries: readonly (readonly [string, number])[]) => Object.fromEntries(entries) as Record<Key, number>; // the given keys, or those of two such records
  return {
    zero: () => of(keys.map((key) => [key, 0])),
    merge(one, other) {
      const all = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<Key>;
      return of([...all].map((key) => [key, merge(one[key] ?? 0, other[key] ?? 0)]));
    },
    samples: (values) => Object.entries<number>(values).map(([key, value]) => ({ labels: { [label]: key }, value })),
  };
}

/** The buckets of Prometheus are cumulative. */
function cumulative({ bounds, counts, sumSeconds }: Histogram): Sample[] {
  let total = 0;
  const buckets = counts.map((count, index): Sample => {
    total += count;
    return { suffix: '_bucket', labels: { le: String(bounds[index] ?? '+Inf') }, value: total };
  });
  return [...buckets, { suffix: '_sum', value: sumSeconds }, { suffix: '_count', value: total }];
}
