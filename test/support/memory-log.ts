import type { Log } from '../../updates/append.ts';
import type { Read } from '../../updates/page.ts';
import type { LogRecord } from '../../updates/record.ts';

/** The log in an array. */
export class MemoryLog implements Log {
  readonly records: LogRecord[] = [];

  async tail(): Promise<LogRecord | undefined> {
    return this.records.at(-1);
  }

  async put(record: LogRecord): Promise<boolean> {
    if (this.records.some(({ number }) => number === record.number)) return false;
    this.records.push(record);
    return true;
  }

  async from(number: number): Promise<Read> {
    return { records: this.records.filter((record) => record.number >= number), isAll: true };
  }
}
