const MAX_LINES = 1000;

/** Keeps the last lines of a long log. */
export class RecentLines {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }
}
