const INTERRUPTED = 130;

/**
 * Ends this process at Ctrl-C, SIGTERM, or when its terminal is closed: as `stop` does, which is given here again once there is
 * something to end in order, and at once before that and at a second signal.
 */
export function endOnSignals(stop: () => void = exit): void {
  let end = stop;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(name);
    process.on(name, () => {
      const now = end;
      end = exit;
      now();
    });
  }
  // A closed terminal, or a reader that has gone: nothing can be said any more.
  for (const output of [process.stdout, process.stderr]) {
    output.removeAllListeners('error');
    output.on('error', () => {});
  }
}

function exit(): void {
  process.exit(INTERRUPTED);
}
