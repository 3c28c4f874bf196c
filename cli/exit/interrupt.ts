import { CliError, EXIT } from './cli-error.ts';

/** Ctrl-C as a signal to stop at the next safe point; a second Ctrl-C exits at once. */
export function interruption(names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): {
  readonly signal: AbortSignal;
  dispose(): void;
} {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of names) process.off(name, stop);
    },
  };
}

/** Throws if the signal was aborted, by an interrupt or by a failure. */
export function endIfStopped(signal: AbortSignal, done: string): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof CliError) throw signal.reason;
  throw new CliError(EXIT.interrupted, `stopped: ${done}; run it again to continue`);
}
