/** An address on which an agent listens and HAProxy connects to it. */
export type ListenAddress = TcpAddress | UnixAddress;

export interface TcpAddress {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** HAProxy's worker needs write permission for the socket, by its user or its group. */
export interface UnixAddress {
  readonly type: 'unix';
  readonly path: string;
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
}

/** `sun_path` holds 108 bytes, one of them the NUL at the end (unix(7)). */
export const MAX_UNIX_PATH_BYTES = 107;
