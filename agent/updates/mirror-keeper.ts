import type { Clock } from '../decision/clock.ts';
import type { Log } from '../log.ts';
import { fileKey, type ReadMirror, WrittenMirror } from './mirror-file.ts';
import type { PageStep, UpdatesStep } from './updates-step.ts';

/** A page without changes is written once in this time, so that the file is not much older than the mirror. */
const EVERY_MS = 60_000;
/** A day, and more changes than a day has: then a new file is begun. Past twice as many this one stays as it is. */
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_PAGES_BYTES = 16 * 1024 * 1024;

/** Keeps the mirror of this process in a file: the segments as they were received, and the pages since. */
export class MirrorKeeper {
  readonly #path: string;
  readonly #key: string;
  readonly #clock: Clock;
  readonly #log: Pick<Log, 'warn'>;
  readonly #isOld: () => void;
  #file: WrittenMirror | undefined;
  #next: WrittenMirror | undefined;
  /** Where the last page ends, whether it was written or not. */
  #cursor: string | undefined;
  #nextCursor: string | undefined;
  #beganMs: number;
  #wroteMs: number;
  #wholeBytes = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, key: string, clock: Clock, log: Pick<Log, 'warn'>, isOld: () => void) {
    this.#path = path;
    this.#key = fileKey(key);
    this.#clock = clock;
    this.#log = log;
    this.#isOld = isOld;
    this.#beganMs = clock.nowMs();
    this.#wroteMs = clock.nowMs();
  }

  /** Goes on with the file that was read. */
  goOn(read: Pick<ReadMirror, 'wholeBytes'>, cursor: string): void {
    void this.#do(async () => {
      this.#file = await WrittenMirror.goOn(this.#path, read);
      this.#wholeBytes = read.wholeBytes;
      this.#cursor = cursor;
    });
  }

  /** Writes a step that was applied; resolves when that is done, and never rejects. */
  write(step: UpdatesStep): Promise<void> {
    return this.#do(() => this.#write(step));
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.#do(async () => {
      await this.#next?.abandon();
      await this.#file?.close();
      this.#file = undefined;
      this.#next = undefined;
    });
  }

  #do(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work).catch((error) => this.#failed(error));
    return this.#last;
  }

  async #write(step: UpdatesStep): Promise<void> {
    switch (step.kind) {
      case 'begin':
        await this.#next?.abandon();
        this.#next = await WrittenMirror.begin(this.#path, this.#key, step);
        this.#nextCursor = step.manifest.cursor;
        return;
      case 'segment':
        return this.#next?.segment(step);
      case 'page':
        return step.isForNext ? this.#pageOfNext(step) : this.#page(step);
      case 'swap':
        return this.#swap();
      case 'abandon':
        await this.#next?.abandon();
        this.#next = undefined;
    }
  }

  async #pageOfNext(step: PageStep): Promise<void> {
    if (this.#next === undefined) return;
    await this.#next.page(step);
    this.#nextCursor = step.place?.cursor;
  }

  async #page(step: PageStep): Promise<void> {
    if (this.#file === undefined || step.place === undefined || step.place.after !== this.#cursor) return;
    const nowMs = this.#clock.nowMs();
    this.#cursor = step.place.cursor;
    if (step.changes.length === 0 && nowMs - this.#wroteMs < EVERY_MS) return;
    await this.#file.page(step);
    this.#wroteMs = nowMs;
    const pagesBytes = this.#file.bytes - this.#wholeBytes;
    if (nowMs - this.#beganMs > MAX_AGE_MS || pagesBytes > MAX_PAGES_BYTES) this.#isOld();
    if (pagesBytes <= 2 * MAX_PAGES_BYTES) return;
    await this.#file.close();
    this.#file = undefined;
  }

  async #swap(): Promise<void> {
    if (this.#next === undefined) return;
    await this.#next.whole();
    await this.#file?.close();
    this.#file = this.#next;
    this.#next = undefined;
    this.#cursor = this.#nextCursor;
    this.#wholeBytes = this.#file.bytes;
    this.#beganMs = this.#clock.nowMs();
    this.#wroteMs = this.#beganMs;
  }

  /** The file stays as it is: what it has is a state that was. The next mirror begins another one. */
  async #failed(error: unknown): Promise<void> {
    const problem = error instanceof Error ? error.message : String(error);
    this.#log.warn({ file: this.#path, problem }, 'cannot write the mirror file');
    await Promise.allSettled([this.#next?.abandon(), this.#file?.close()]);
    this.#next = undefined;
    this.#file = undefined;
  }
}
