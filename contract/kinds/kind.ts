/** A path or host is looked up under itself and the widest of its wildcards: whoever sends it does not set the price. */
export const MAX_WILDCARDS = 8;

/** DynamoDB takes 2048 bytes of partition key, and a subject half of that: nothing longer is in the table, or asked. */
export const MAX_SUBJECT_BYTES = 1024;

/** A subject that a person or a program wrote wrong. The message says what is wrong and what would be right. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError';
}

/** What is peculiar to the values of one kind. Values are neither empty nor do they have control characters in them. */
export interface Kind {
  /** Whether a client can send as many different values as it likes; the others are told by the network. */
  readonly isClientChosen: boolean;
  /** The canonical form of what a person or a program wrote, which is its own canonical form; throws a `SubjectError`. */
  readonly canonicalizeEntry: (value: string) => string;
  /**
   * The canonical form of what traffic brought, byte by byte, where it is not that of the same text; undefined where it
   * is no value of the kind: nothing is guessed. Empty where nothing can be listed for it.
   */
  readonly canonicalizeTraffic?: (octets: string) => string | undefined;
  /** The most bytes of traffic that an entry could stand for. What is longer is not worked through. */
  readonly maxBytes: number;
  /** What is longer: null where no entry can stand for it; undefined, or the function absent, where it is no value. */
  readonly tooLong?: (octets: string) => null | undefined;
  /** All that covers a canonical value: itself, then what is wider, narrowest first. Absent where that is all. */
  readonly covering?: (value: string) => readonly string[];
  /** Why an entry under this canonical value would never be found; undefined where it would. */
  readonly unreachableReason?: (value: string) => string | undefined;
  /** The greater of two that cover the same is the narrower; Infinity for what covers only itself. */
  readonly specificity?: (value: string) => number;
}
