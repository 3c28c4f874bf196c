import { lookupKeys, parseSubject } from '../../contract/subject.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import type { DesiredEntries } from './desired-entries.ts';

/** Above what a blocklist contains. */
const MAX_EXEMPT = 10_000;

/** Subjects that a source exempts in skipped lines: the other lines must not block them. */
export class SourceExemptions {
  readonly #subjects = new Set<string>();
  #hasUnread = false;
  /** The exempt subject by each subject whose entry would block it. */
  readonly #covering = new Map<string, string>();

  /** `''` stands for a subject that could not be parsed. */
  add(subject: string): void {
    if (subject === '') {
      this.#hasUnread = true;
      return;
    }
    if (this.#subjects.size === MAX_EXEMPT)
      throw new CliError(
        EXIT.failed,
        `nothing was written: the source exempts more than ${MAX_EXEMPT} subjects, which a blocklist does not`,
      );
    this.#subjects.add(subject);
    for (const covering of coveringOf(subject)) this.#covering.set(covering, subject);
  }

  /** Throws if an entry of `wanted` would block an exempt subject. */
  async assertNotBlocked(wanted: DesiredEntries): Promise<void> {
    if (this.#hasUnread)
      throw new CliError(
        EXIT.failed,
        'nothing was written: an invalid line exempts a subject that other lines may block: --skip-invalid does not skip such lines',
      );
    if (this.#subjects.size === 0) return;
    for await (const { value } of wanted.sorted()) {
      const { subject } = value;
      const exempt =
        this.#covering.get(subject) ?? coveringOf(subject).find((covering) => this.#subjects.has(covering));
      if (exempt === undefined) continue;
      throw new CliError(
        EXIT.failed,
        `nothing was written: the source exempts ${exempt} and blocks ${subject}: --skip-invalid would block it`,
      );
    }
  }
}

function coveringOf(subject: string): string[] {
  return lookupKeys(parseSubject(subject));
}
