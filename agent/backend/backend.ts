import type { ListActions } from '../../contract/list-actions.ts';
import type { Clock } from '../decision/clock.ts';
import type { Backend } from '../decision/loader.ts';
import { BackendLog, credentialsLog, failoverLog, type Log } from './backend-log.ts';
import { BackendClient, type ClientEvents } from './client.ts';
import { createCredentialChain } from './credential-chain.ts';
import { Credentials, type CredentialsEvents } from './credentials.ts';
import { FailoverBackend } from './failover.ts';
import { createSigner } from './signer.ts';
import { examine, type StartupCheck } from './startup-check.ts';

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
  /** Those that are held to actions. */
  readonly listActions: ListActions;
}

/** What is to be known of it beside the log. */
export interface BackendEvents {
  /** When the credentials end that calls are signed with. */
  readonly gotCredentials?: CredentialsEvents['got'];
  /** An entry did not count, because its list may not do what it says. */
  readonly notCounted?: () => void;
}

/** A backend that holds connections until it is closed. */
export interface OpenBackend extends Backend {
  close(): Promise<void>;
}

/** One whose functions can be asked one by one, for what is to be told of them. */
export interface ExaminedBackend extends OpenBackend {
  examine(): Promise<readonly StartupCheck[]>;
}

/** The backend that the settings describe. Credentials are looked for at once, but nobody waits for them. */
export async function openBackend(
  settings: BackendSettings,
  { lists, shadowLists, listActions }: AskedLists,
  log: Log,
  clock: Clock,
  { gotCredentials = () => {}, notCounted = () => {} }: BackendEvents = {},
): Promise<ExaminedBackend> {
  const { targets, timeoutMs, maxConcurrent } = settings;
  const credentials = await openCredentials(targets, { ...credentialsLog(log), got: gotCredentials }, clock);
  const health = new BackendLog(log, clock);
  const isOne = targets.length === 1;
  const events: ClientEvents = {
    // what one of several does is not yet what becomes of the call
    failed: (error) => void (isOne && health.failed(error)),
    badEntry: (subject, problem) => health.badEntry(subject, problem),
    ignoresTrials: (list) => health.ignoresTrials(list),
    notCounted(entry, isBlind) {
      notCounted();
      health.notCounted(entry, isBlind);
    },
  };
  const timeouts = { timeoutMs, ...(isOne ? {} : { connectTimeoutMs: Math.ceil(timeoutMs / 2) }) };
  const clients = await Promise.all(
    targets.map(async (target) => {
      const { url, region } = target;
      const sign = region && credentials && (await createSigner(region, credentials, clock));
      const one = { url, ...timeouts, maxConcurrent, shadowLists, listActions };
      return { url, target, client: new BackendClient(one, lists, events, clock, sign || undefined) };
    }),
  );
  const [first] = clients;
  const backend =
    isOne && first !== undefined
      ? first.client
      : new FailoverBackend(
          clients,
          timeoutMs,
          { ...failoverLog(log), failed: (error) => health.failed(error) },
          clock,
        );
  return {
    check: (subjects) => backend.check(subjects),
    examine: () => Promise.all(clients.map(({ target, client }) => examine(target, client, credentials))),
    async close() {
      health.close();
      await backend.close();
    },
  };
}

/** None where no call is signed. */
async function openCredentials(
  targets: BackendSettings['targets'],
  events: CredentialsEvents,
  clock: Clock,
): Promise<Credentials | undefined> {
  const region = targets.find((target) => target.region !== undefined)?.region;
  if (region === undefined) return undefined;
  const credentials = new Credentials(await createCredentialChain(region), clock, events);
  credentials.get().catch(() => {}); // told by its events
  return credentials;
}
