import { addHistograms, emptyHistogram, type Histogram } from './histogram.ts';

/** One line of a metric in Prometheus's text format. */
export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of a histogram: what follows the name of the metric. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

export interface MetricHeader {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The names of its labels; a histogram also has `le`. */
  readonly labels: readonly string[];
}

/** A value in the state of the agent: its metric, its first value, and how the values of several workers become one. */
export interface MetricDefinition<Value> extends MetricHeader {
  zero(): Value;
  merge(one: Value, other: Value): Value;
  samples(value: Value): readonly Sample[];
}

export type MetricDefinitions = Readonly<Record<string, MetricDefinition<unknown>>>;

/** The values of measures, by the same names. */
export type ValuesOf<Section extends MetricDefinitions> = {
  readonly [Name in keyof Section]: Section[Name] extends MetricDefinition<infer Value> ? Value : never;
};

export type Mutable<Values> = { -readonly [Name in keyof Values]: Values[Name] };

export function zeros<Section extends MetricDefinitions>(section: Section): Mutable<ValuesOf<Section>> {
  return mapped(section, (measure) => measure.zero());
}

/** The values of this section as they are now. */
export function copyOf<Section extends MetricDefinitions>(
  section: Section,
  values: ValuesOf<Section>,
): ValuesOf<Section> {
  return mapped(section, (_, name) => structuredClone(values[name]));
}

/** One value of several, for each measure; there must be at least one. */
export function merged<Section extends MetricDefinitions>(
  section: Section,
  several: readonly ValuesOf<Section>[],
): ValuesOf<Section> {
  return mapped(section, (measure, name) => several.map((values): unknown => values[name]).reduce(measure.merge));
}

/** Calls the function for each measure, by its name. */
function mapped<Section extends MetricDefinitions>(
  section: Section,
  valueFor: (measure: MetricDefinition<unknown>, name: keyof Section) => unknown,
): ValuesOf<Section> {
  const values = Object.entries(section).map(([name, measure]) => [name, valueFor(measure, name)]);
  return Object.fromEntries(values) as ValuesOf<Section>; // of each measure its own value
}

export function counter(name: string, help: string): MetricDefinition<number> {
  return { ...summed, name, type: 'counter', help, labels: [] };
}

/** A value that several workers have together. */
export function gauge(name: string, help: string): MetricDefinition<number> {
  return { ...counter(name, help), type: 'gauge' };
}

/** A counter for each value of one label; those that are named are there from the start. */
export function counterBy<Key extends string>(
  name: string,
  help: string,
  label: string,
  keys: readonly Key[],
): MetricDefinition<Record<Key, number>> {
  return { ...byLabel(label, keys, add), name, type: 'counter', help, labels: [label] };
}

/** A gauge for each value of one label, of which the greatest of all workers counts. */
export function greatestBy<Key extends string>(
  name: string,
  help: string,
  label: string,
  keys: readonly Key[],
): MetricDefinition<Record<Key, number>> {
  return { ...byLabel(label, keys, Math.max), name, type: 'gauge', help, labels: [label] };
}

/** One of several states, from the best to the worst: a gauge for each that is 1 for the one it is in. */
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

/** In seconds. */
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
  const of = (entries: readonly (readonly [string, number])[]) => Object.fromEntries(entries) as Record<Key, number>; // the keys, or those of two such
  return {
    zero: () => of(keys.map((key) => [key, 0])),
    merge(one, other) {
      const all = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<Key>;
      return of([...all].map((key) => [key, merge(one[key] ?? 0, other[key] ?? 0)]));
    },
    samples: (values) => Object.entries<number>(values).map(([key, value]) => ({ labels: { [label]: key }, value })),
  };
}

/** Prometheus's buckets hold all that is below their bound. */
function cumulative({ bounds, counts, sumSeconds }: Histogram): Sample[] {
  let total = 0;
  const buckets = counts.map((count, index): Sample => {
    total += count;
    return { suffix: '_bucket', labels: { le: String(bounds[index] ?? '+Inf') }, value: total };
  });
  return [...buckets, { suffix: '_sum', value: sumSeconds }, { suffix: '_count', value: total }];
}
