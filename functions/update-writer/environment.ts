/** The environment variables of the writer; the stack sets all of them. */
export interface WriterEnvironment {
  readonly table: string;
  readonly updatesTable: string;
  readonly region: string;
  readonly retentionSeconds: number;
  /** Items a second that one execution environment reads at most. */
  readonly readsPerSecond: number;
}

export function readWriterEnvironment(env: Readonly<Record<string, string | undefined>>): WriterEnvironment {
  return {
    table: text('HAVERDICT_TABLE', env),
    updatesTable: text('HAVERDICT_UPDATES_TABLE', env),
    region: text('AWS_REGION', env),
    retentionSeconds: wholeNumber('HAVERDICT_UPDATES_RETENTION_SECONDS', env),
    readsPerSecond: wholeNumber('HAVERDICT_READS_PER_SECOND', env),
  };
}

function text(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name} is missing`);
  return value;
}

function wholeNumber(name: string, env: Readonly<Record<string, string | undefined>>): number {
  const value = text(name, env);
  if (/^[1-9]\d{0,9}$/.test(value)) return Number(value);
  throw new Error(`${name} is "${value}", it must be a whole number from 1`);
}
