import { usageError } from '../exit/cli-error.ts';

/** How many lines of a source may be invalid: the greater of a count and a share of all its lines. */
export interface MaxInvalid {
  readonly count: number;
  /** 0 to 1. */
  readonly share: number;
}

/** The bound of `--skip-invalid` alone. */
export const DEFAULT_MAX_INVALID: MaxInvalid = { count: 10, share: 0.1 };

/** Parses `--max-invalid`: `20` or `5%`. */
export function readMaxInvalid(text: string): MaxInvalid {
  const [, digits = '', percent] = /^(\d{1,8}(?:\.\d{1,3})?)(%?)$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits !== '' && percent === '%' && number <= 100) return { count: 0, share: number / 100 };
  if (digits !== '' && percent === '' && Number.isInteger(number)) return { count: number, share: 0 };
  throw usageError(`--max-invalid "${text}" is not valid: write a number of lines like 20, or a share like 5%`);
}

/** The most lines out of `lines` that may be invalid. */
export function mostInvalid({ count, share }: MaxInvalid, lines: number): number {
  return Math.max(count, Math.floor(share * lines));
}
