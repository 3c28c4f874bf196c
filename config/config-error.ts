/** One thing that is wrong: where it stands, which setting it is, and what would be right. */
export interface ConfigProblem {
  /** `FILE:LINE:COLUMN`, the file alone, or the environment variable. */
  readonly where: string;
  /** The path of the setting, as `backend.timeoutMs`; empty where the whole file is meant. */
  readonly setting: string;
  readonly message: string;
}

/** A configuration that cannot be used: everything that is wrong with it, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(toLine).join('\n'), options);
    this.problems = problems;
  }
}

function toLine({ where, setting, message }: ConfigProblem): string {
  return setting === '' ? `${where}: ${message}` : `${where}: ${setting}: ${message}`;
}
