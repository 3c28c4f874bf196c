/** One key of a lookup is for the subject itself, so that with all wildcards above it there are at most 100. */
export const MAX_WILDCARDS = 99;

/** DynamoDB takes 2048 bytes of partition key, and a subject half of that: nothing longer is in the table, or asked. */
export const MAX_SUBJECT_BYTES = 1024;

/** A subject that a person or a program wrote wrong. The message says what is wrong and what would be right. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError';
}

/** What is peculiar to the values of one kind. Values are neither empty nor do they have control characters in them. */
export interface Kind {
  /** The canonical form of what a person or a program wrote, which is its own canonical form; throws a `SubjectError`. */
  readonly written: (value: string) => string;
  /**
   * The canonical form of what traffic brought, byte by byte, where it is not that of the same text; undefined where it
   * is no value of the kind: nothing is guessed.
   */
  readonly brought?: (octets: string) => string | undefined;
  /** All that covers a canonical value: itself, then what is wider, narrowest first. Absent where that is all. */
  readonly covering?: (value: string) => readonly string[];
  /** The greater of two that cover the same is the narrower; Infinity for what covers only itself. */
  readonly specificity?: (value: string) => number;
}
