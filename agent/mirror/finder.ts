/** What all entries of a table have in common. */
export interface EntryLength {
  readonly prefix: number;
  /** The part of their standing that it says. */
  readonly bySpecificity: number;
}

/** Is shown the entries that cover a subject, those of the longest prefixes first. */
export interface Finder {
  /** Whether entries that stand at this place or behind it can change the result. */
  needs(least: number): boolean;
  found(value: number, expiry: number, of: EntryLength): void;
}
