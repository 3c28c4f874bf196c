const MAX_LINES = 1000;

/** Keeps the last lines of a long log. */
export class RecentLines {
  readonly lines: string[] = [];
  readonly #added: (line: string) => void;

  /** `added` is called with each line. */
  constructor(added: (line: string) => void = () => {}) {
    this.#added = added;
  }

  add(line: string): void {
    this.#added(line);
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }
}
