/** The encoded actions that answer a NOTIFY. The ACK has the first of `full`, `essential` and `bare` that fits. */
export interface AckActions {
  readonly full: Uint8Array;
  readonly essential: Uint8Array;
  /** Sent even if it does not fit; absent where that is `essential`. */
  readonly bare?: Uint8Array;
  /** Written behind `full`. */
  readonly dynamic?: DynamicActions;
  /** Written behind `essential` and `bare` if it fits. */
  readonly essentialDynamic?: DynamicActions;
}

/** Actions that differ from ACK to ACK: they are written into the output, without an object. */
export interface DynamicActions {
  readonly maxBytes: number;
  /** Writes at `at` and returns the position after it. */
  write(out: Uint8Array, at: number): number;
}

/** What one ACK has of them. */
export interface AckPayload {
  readonly actions: Uint8Array;
  readonly dynamic: DynamicActions | undefined;
}

export const NO_ACTIONS: AckActions = { full: new Uint8Array(0), essential: new Uint8Array(0) };

/** The most that fits into this many bytes. */
export function fitted(
  maxBytes: number,
  { full, essential, bare = essential, dynamic, essentialDynamic }: AckActions,
): AckPayload {
  if (fits(maxBytes, full, dynamic)) return { actions: full, dynamic };
  const actions = essential.length <= maxBytes ? essential : bare;
  return { actions, dynamic: fits(maxBytes, actions, essentialDynamic) ? essentialDynamic : undefined };
}

export function fits(maxBytes: number, actions: Uint8Array, dynamic: DynamicActions | undefined): boolean {
  return actions.length + (dynamic === undefined ? 0 : dynamic.maxBytes) <= maxBytes;
}

/** One behind the other. */
export function concatenated(first: DynamicActions, second: DynamicActions): DynamicActions {
  return {
    maxBytes: first.maxBytes + second.maxBytes,
    write: (out, at) => second.write(out, first.write(out, at)),
  };
}

/** The payload as bytes. */
export function payloadBytes({ actions, dynamic }: AckPayload): Uint8Array {
  if (dynamic === undefined) return actions;
  const bytes = new Uint8Array(actions.length + dynamic.maxBytes);
  bytes.set(actions);
  return bytes.subarray(0, dynamic.write(bytes, actions.length));
}
