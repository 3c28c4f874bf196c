const MAX_LINES = 1000;

/** The last lines of something that may tell a lot. */
export class RecentLines {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }
}
