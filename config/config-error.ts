/** One error: its place, the setting, and what would be right. */
export interface ConfigProblem {
  /** `FILE:LINE:COLUMN`, the file alone, or the environment variable. */
  readonly where: string;
  /** The path of the setting, like `backend.timeoutMs`; empty for the whole file. */
  readonly setting: string;
  readonly message: string;
}

/** A configuration that cannot be used: all its errors, one line each. */
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
