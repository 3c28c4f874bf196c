/** Room for what is said in a turn; when it is full, it is written at once. */
const ROOM_BYTES = 256 * 1024;

/** Sends bytes; returns whether the caller may overwrite them now. */
type Send = (bytes: Uint8Array) => boolean;

/**
 * Writes what the connections say in one turn of the event loop at its end, one after the other. HAProxy wakes up for the
 * first of it, and mostly finds the rest: written as soon as they are known, the answers would wake it up again and again,
 * which costs both sides more than the answers do.
 */
export class TurnWrites {
  #bytes = Buffer.allocUnsafeSlow(ROOM_BYTES);
  #length = 0;
  /** Whose turn it is to send, and where the bytes of each end. */
  readonly #senders: Send[] = [];
  readonly #ends: number[] = [];
  readonly #flush = () => this.flush();

  /** Sends these bytes at the end of the turn; they may be overwritten at once. */
  add(bytes: Uint8Array, send: Send): void {
    if (this.#length + bytes.length > ROOM_BYTES) this.flush();
    if (bytes.length > ROOM_BYTES) {
      send(new Uint8Array(bytes));
      return;
    }
    if (this.#senders.length === 0) setImmediate(this.#flush);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#senders.push(send);
    this.#ends.push(this.#length);
  }

  /** Sends everything now. */
  flush(): void {
    const [senders, ends] = [this.#senders, this.#ends];
    let isFree = true;
    for (let index = 0, from = 0; index < senders.length; index++) {
      const to = ends[index] as number; // in bounds, as the sender is
      if (!(senders[index] as Send)(this.#bytes.subarray(from, to))) isFree = false;
      from = to;
    }
    if (!isFree) this.#bytes = Buffer.allocUnsafeSlow(ROOM_BYTES);
    senders.length = 0;
    ends.length = 0;
    this.#length = 0;
  }
}
