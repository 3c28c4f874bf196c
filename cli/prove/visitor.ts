import { Agent, request } from 'undici';
import { usageError } from '../exit/cli-error.ts';

/** The status of one request, or what kept it from being sent. */
export type Visit = { readonly status: number } | { readonly fault: string };

/** Longer than any deadline of an agent. */
const LIMIT_MS = 10_000;
/** The system's errors for a source address that is not this host's. */
const NOT_OURS = new Set(['EADDRNOTAVAIL', 'EINVAL', 'ENETUNREACH', 'EAFNOSUPPORT']);

/** Sends one GET on a connection of its own, from this address of the host. The response's body is not read. */
export async function visit(url: URL, from: string, insecure: boolean): Promise<Visit> {
  const connect = { timeout: LIMIT_MS, rejectUnauthorized: !insecure };
  const dispatcher = new Agent({ connect, localAddress: from, headersTimeout: LIMIT_MS, bodyTimeout: LIMIT_MS });
  try {
    const { statusCode, body } = await request(url, { dispatcher, reset: true });
    body.on('error', () => {}).destroy();
    return { status: statusCode };
  } catch (error) {
    return { fault: faultIn(error as NodeJS.ErrnoException, url, from) };
  } finally {
    await dispatcher.destroy();
  }
}

/** The URL of a frontend on this host or another one. */
export function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw usageError(`"${text}" is not the URL of a frontend: use one like http://127.0.0.1/ or https://shop.example/`);
  return url;
}

function faultIn({ code = '', message }: NodeJS.ErrnoException, url: URL, from: string): string {
  if (NOT_OURS.has(code))
    return `no connection from ${from} to ${url.host} (${code}): choose an address of this host with --from`;
  return `no answer from ${url.host}: ${message === '' ? code : message}`;
}
