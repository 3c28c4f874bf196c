/** Wildcards under which a path or host is looked up, the widest ones: clients do not determine the cost of a lookup. */
export const MAX_WILDCARDS = 8;

/** The longest subject in the table and in requests: half of the 2048 bytes that DynamoDB allows for a partition key. */
export const MAX_SUBJECT_BYTES = 1024;

/** A subject that a person or a program wrote is invalid. The message says what is wrong and what would be right. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError';
}

/** The rules for the values of one kind. Values are not empty and have no control characters. */
export interface Kind {
  /** Whether a client can send any number of different values; otherwise the network determines the value. */
  readonly isClientChosen: boolean;
  /** The canonical form of a value that a person or a program wrote; idempotent. Throws a `SubjectError`. */
  readonly canonicalizeEntry: (value: string) => string;
  /**
   * The canonical form of the bytes of a request, if it differs from that of the same text; undefined if they are not a
   * valid value: nothing is guessed. Empty if no entry can exist for them.
   */
  readonly canonicalizeTraffic?: (octets: string) => string | undefined;
  /** The most bytes of a request that an entry could match. Longer values are not processed. */
  readonly maxBytes: number;
  /** The result for a longer value: null if no entry can match it; undefined, as without this function, if it is invalid. */
  readonly tooLong?: (octets: string) => null | undefined;
  /** The values that cover a canonical value: itself, then wider ones, narrowest first. Absent if only itself does. */
  readonly covering?: (value: string) => readonly string[];
  /** Why an entry with this canonical value would never be found; undefined if it would be. */
  readonly unreachableReason?: (value: string) => string | undefined;
  /** Of two values that cover the same one, the narrower has the greater number; Infinity if it covers only itself. */
  readonly specificity?: (value: string) => number;
}
