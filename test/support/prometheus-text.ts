/** A line of the text format. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Metrics {
  readonly series: readonly Series[];
  /** Of the only series with this name and these labels; throws if it is not there once. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
}

const LINE = /^(?<name>[a-z_:]+)(?:\{(?<labels>.*)\})? (?<value>\S+)$/u;
const LABEL = /(?<name>[a-z_]+)="(?<text>(?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/uy;

/** Reads Prometheus's text format 0.0.4; throws at the first line that is none. */
export function readMetrics(text: string): Metrics {
  const series = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(readLine);
  return {
    series,
    value(name, labels = {}) {
      const wanted = JSON.stringify(Object.entries(labels).sort());
      const found = series.filter(
        (one) => one.name === name && JSON.stringify(Object.entries(one.labels).sort()) === wanted,
      );
      const [only] = found;
      if (only === undefined || found.length > 1) throw new Error(`${name}${wanted} is there ${found.length} times`);
      return only.value;
    },
  };
}

function readLine(line: string): Series {
  const { name, labels = '', value } = LINE.exec(line)?.groups ?? {};
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const read: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labels.length) {
    const { groups } = LABEL.exec(labels) ?? {};
    if (groups?.name === undefined) throw new Error(`not labels: ${labels}`);
    read[groups.name] = (groups.text ?? '').replace(/\\(.)/g, (_, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    );
  }
  return { name, labels: read, value: Number(value === '+Inf' ? 'Infinity' : value) };
}
