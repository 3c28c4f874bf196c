import { ThrottledLog } from '../throttled-log.ts';
import type { Clock } from '../transport.ts';
import type { AgentError } from './agent-error.ts';

/** Writes errors to standard error: each kind at once, then how often it came within each minute. */
export class StderrReport {
  readonly #throttled: ThrottledLog;

  constructor(clock: Clock) {
    this.#throttled = new ThrottledLog(clock);
  }

  write(error: AgentError): void {
    this.#throttled.about(`${error.code} ${error.spopMessage}`, ({ times }) => {
      const more = times === undefined ? '' : `, ${times} times more in the last minute`;
      const trace = error.cause instanceof Error && times === undefined ? `\n${error.cause.stack}` : '';
      process.stderr.write(`haverdict-spop: ${printable(error.message)} (${error.code})${more}${trace}\n`);
    });
  }

  close(): void {
    this.#throttled.close();
  }
}

/** Names and texts of a peer are in messages: without control characters, and short. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?').slice(0, 300);
}
