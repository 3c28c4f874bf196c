import type { Clock } from '../decision/clock.ts';
import type { Backend } from '../decision/loader.ts';
import { BackendClient } from './client.ts';
import { Credentials } from './credentials.ts';
import { FailoverBackend } from './failover.ts';
import { BackendHealthLog, credentialsLog, failoverLog, type Log } from './health.ts';
import { createIdentityChain } from './identity-chain.ts';
import { createSigner, type Signer } from './sign.ts';

export interface BackendSettings {
  /** In the order in which they are asked; the region is there where calls are signed for it. */
  readonly targets: readonly { readonly url: string; readonly region?: string }[];
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
}

export interface AskedLists {
  readonly lists: readonly string[];
  /** Those of them that are on trial. */
  readonly shadowLists: readonly string[];
}

/** A backend that holds connections until it is closed. */
export interface OpenBackend extends Backend {
  close(): Promise<void>;
}

/** The backend that the settings describe. Credentials are looked for at once, but nobody waits for them. */
export async function openBackend(
  settings: BackendSettings,
  { lists, shadowLists }: AskedLists,
  log: Log,
  clock: Clock,
): Promise<OpenBackend> {
  const { targets, timeoutMs, maxConcurrent } = settings;
  const signers = await createSigners(targets, log, clock);
  const health = new BackendHealthLog(log, clock);
  const [only, ...others] = targets.map(({ url }) => url);
  if (only !== undefined && others.length === 0) {
    const settingsOfOne = { url: only, timeoutMs, maxConcurrent, shadowLists };
    return closingBoth(new BackendClient(settingsOfOne, lists, health, clock, signers[0]), health);
  }
  // what one of them does is not yet what becomes of the call
  const events = {
    failed() {},
    badEntry: health.badEntry.bind(health),
    ignoresTrials: health.ignoresTrials.bind(health),
  };
  const connectTimeoutMs = Math.ceil(timeoutMs / 2);
  const clients = targets.map(({ url }, index) => ({
    url,
    client: new BackendClient(
      { url, timeoutMs, maxConcurrent, connectTimeoutMs, shadowLists },
      lists,
      events,
      clock,
      signers[index],
    ),
  }));
  return closingBoth(
    new FailoverBackend(clients, timeoutMs, { ...failoverLog(log), failed: (error) => health.failed(error) }, clock),
    health,
  );
}

function closingBoth(backend: OpenBackend, health: BackendHealthLog): OpenBackend {
  return {
    check: (subjects) => backend.check(subjects),
    async close() {
      health.close();
      await backend.close();
    },
  };
}

async function createSigners(
  targets: BackendSettings['targets'],
  log: Log,
  clock: Clock,
): Promise<(Signer | undefined)[]> {
  const region = targets.find((target) => target.region !== undefined)?.region;
  if (region === undefined) return targets.map(() => undefined);
  const credentials = new Credentials(await createIdentityChain(region), clock, credentialsLog(log));
  credentials.get().catch(() => {}); // told by its events
  return await Promise.all(
    targets.map(async (target) =>
      target.region === undefined ? undefined : createSigner(target.region, credentials, clock),
    ),
  );
}
