/**
 * What HAProxy reads from the bytes that a client sends before there is a request: of the ClientHello of TLS that it does not
 * end itself, or of any protocol. In mode tcp they arrive after the connection, and only rules can wait for them.
 */
const FETCH = /(?:^|[^\w.])(?:req[._](?:ssl_|payload|len\b|rdp_cookie)|payload|rdp_cookie|distcc_)/;
const HELLO_FETCH = /(?:^|[^\w.])req[._]ssl_/;

/** Holds once the ClientHello is complete. */
const HAS_HELLO = '{ req.ssl_hello_type 1 }';
const HAS_BYTES = '{ req.len gt 0 }';

export function readsClientBytes(expression: string): boolean {
  return FETCH.test(expression);
}

interface Reads {
  readonly group?: string | undefined;
  readonly condition?: string | undefined;
  readonly subjects: readonly { readonly expression: string }[];
  readonly arguments: readonly { readonly expression: string }[];
}

/** A group for frontends in mode tcp: what it sends is there only after a rule has waited for it. */
export function isConnectionGroup({ group, ...message }: Reads): boolean {
  return group !== undefined && expressionsOf(message).some(readsClientBytes);
}

/** The test that what this group sends has arrived. */
export function arrivalOf(message: Omit<Reads, 'group'>): string {
  return expressionsOf(message).some((expression) => HELLO_FETCH.test(expression)) ? HAS_HELLO : HAS_BYTES;
}

function expressionsOf({ subjects, arguments: given, condition = '' }: Omit<Reads, 'group'>): string[] {
  return [...subjects.map(({ expression }) => expression), ...given.map(({ expression }) => expression), condition];
}
