import { escapeInvisible } from '../../contract/printable.ts';

/** The exit codes. */
export const EXIT = { done: 0, failed: 1, usage: 2, skipped: 65, late: 75, config: 78, interrupted: 130 } as const;

/** Ends the program with one line on stderr and this exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** One line, whatever was typed. */
export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, escapeInvisible(message));
}
