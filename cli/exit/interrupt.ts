import { CliError, EXIT } from './cli-error.ts';

/** Ctrl-C as a signal to stop at the next safe point; a second Ctrl-C exits at once. */
export function interruption(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return {
    signal: controller.signal,
    dispose: () => void process.off('SIGINT', stop).off('SIGTERM', stop),
  };
}

/** Throws if the signal was aborted, by an interrupt or by a failure. */
export function endIfStopped(signal: AbortSignal, done: string): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof CliError) throw signal.reason;
  throw new CliError(EXIT.interrupted, `stopped: ${done}; run it again to continue`);
}
