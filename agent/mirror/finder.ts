/** What all entries of a table have in common. */
export interface EntryLength {
  readonly prefix: number;
  /** The part of their standing that it says. */
  readonly bySpecificity: number;
}

/** Is shown the entries that cover a subject, those of the longest prefixes first. */
export interface Finder {
  /** Whether no other can change the result. */
  readonly isOver: boolean;
  found(value: number, expiry: number, of: EntryLength): void;
}
