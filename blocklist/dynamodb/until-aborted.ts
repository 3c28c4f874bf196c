/**
 * Iterates over a source until it ends or the signal is aborted, even while the source waits for a person or the network:
 * a for-await alone would wait with it.
 */
export async function* untilAborted<Piece>(
  source: AsyncIterable<Piece> | Iterable<Piece>,
  signal?: AbortSignal,
): AsyncGenerator<Piece> {
  const iterator: AsyncIterator<Piece> | Iterator<Piece> =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let stop = () => {};
  const onAbort = () => stop();
  signal?.addEventListener('abort', onAbort);
  let isWaiting = false;
  try {
    while (signal?.aborted !== true) {
      isWaiting = true;
      // A new promise for each piece: races against one long-lived promise would leak until it settles.
      const next = await new Promise<IteratorResult<Piece> | undefined>((resolve, reject) => {
        stop = () => resolve(undefined);
        Promise.resolve(iterator.next()).then(resolve, reject);
      });
      if (next === undefined) return;
      isWaiting = false;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    const closed = Promise.resolve(iterator.return?.());
    if (isWaiting)
      closed.catch(() => {}); // it closes when the source wakes up, when no one can handle its errors
    else await closed;
  }
}
