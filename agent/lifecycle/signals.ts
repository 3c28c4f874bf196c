/** Runs `reload` for each SIGHUP, one at a time; signals during a reload cause one more. `reload` must not reject. */
export function onReloadSignal(reload: () => Promise<void>): void {
  let isRunning = false;
  let isDue = false;
  process.on('SIGHUP', async () => {
    isDue = true;
    if (isRunning) return;
    isRunning = true;
    while (isDue) {
      isDue = false;
      await reload();
    }
    isRunning = false;
  });
}

/**
 * Resolves with the first SIGTERM or SIGINT; a second one exits at once. A worker ignores SIGINT, which a terminal sends to
 * the first process too.
 */
export function untilStopSignal(isWorker: boolean): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      for (const name of ['SIGTERM', 'SIGINT'] as const) {
        process.removeListener(name, stop);
        process.once(name, () => process.exit(1));
      }
      resolve(signal);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', isWorker ? () => {} : stop);
  });
}

/** Runs `dump` for each SIGUSR1, which by default opens Node's debugger. */
export function onStateSignal(dump: () => void): void {
  process.on('SIGUSR1', dump);
}
