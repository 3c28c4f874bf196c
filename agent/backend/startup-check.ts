import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { BackendError } from './backend-error.ts';
import type { Credentials, Identity } from './credentials.ts';

/** The durations of two calls to one function. */
export interface CallTimings {
  /** The first call, with the connection and perhaps a cold start. */
  readonly firstMs: number;
  /** A check after that. */
  readonly checkMs: number;
  /** How far this host's clock is ahead of the function's, by its header `date`. */
  readonly clockAheadSeconds?: number;
}

/** The result of the check of one function at startup, for the log. */
export interface StartupCheck extends Partial<CallTimings> {
  readonly url: string;
  readonly region?: string;
  /** The addresses of the host; absent if the URL has an address. */
  readonly addresses?: readonly string[];
  /** Absent if calls are not signed, or cannot be. */
  readonly credentials?: string;
  /** Why the function cannot be used. */
  readonly error?: string;
}

/** A documentation address (RFC 5737), which no client has. */
export const STARTUP_SUBJECT = 'ip:192.0.2.1';

/** Calls one function as the agent does; never rejects. */
export async function checkAtStartup(
  { url, region, client }: { url: string; region?: string | undefined; client: { timeCalls(): Promise<CallTimings> } },
  credentials: Credentials | undefined,
): Promise<StartupCheck> {
  let found: StartupCheck = { url, ...(region !== undefined && { region }) };
  try {
    const addresses = await resolve(new URL(url).hostname);
    found = { ...found, ...(addresses !== undefined && { addresses }) };
    const timings = await client.timeCalls();
    const identity = region === undefined ? undefined : await credentials?.get(); // the call was signed with them
    return { ...found, ...(identity && { credentials: describe(identity) }), ...timings };
  } catch (error) {
    return { ...found, error: error instanceof Error ? error.message : String(error) };
  }
}

function describe({ expiration }: Identity): string {
  return expiration === undefined ? 'valid, no expiry' : `valid until ${expiration.toISOString()}`;
}

async function resolve(hostname: string): Promise<readonly string[] | undefined> {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined;
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code = String(error) } = error as { code?: string }; // Node's errors have one
    throw new BackendError('unreachable', `the name ${hostname} cannot be resolved: ${code}`);
  }
}
