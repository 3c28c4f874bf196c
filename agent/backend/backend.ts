import type { ListActions } from '../../contract/permitted-actions.ts';
import type { Clock } from '../decision/clock.ts';
import type { Backend } from '../decision/loader.ts';
import type { Log } from '../log.ts';
import { type Fault, toBackendError } from './backend-error.ts';
import { BackendLog, credentialsLog, failoverLog } from './backend-log.ts';
import { BackendClient, type ClientEvents } from './client.ts';
import { createCredentialChain } from './credential-chain.ts';
import { Credentials, type CredentialsEvents } from './credentials.ts';
import { FailoverBackend } from './failover.ts';
import { createSigner } from './signer.ts';
import { checkAtStartup, type StartupCheck } from './startup-check.ts';

export interface BackendSettings {
  /** In order of preference; with a region if calls are signed. */
  readonly targets: readonly { readonly url: string; readonly region?: string }[];
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
}

export interface AskedLists {
  readonly lists: readonly string[];
  /** Those of them in shadow mode. */
  readonly shadowLists: readonly string[];
  /** The permitted actions of restricted lists. */
  readonly listActions: ListActions;
}

export interface BackendEvents {
  /** New credentials were loaded, with this expiry. */
  gotCredentials: CredentialsEvents['got'];
  /** An entry was ignored because its list may not use its action. */
  notCounted(): void;
  called(subjects: number, tookMs: number): void;
  /** Throttling is not a failure. */
  callFailed(fault: Exclude<Fault, 'throttled'>, error: string): void;
}

/** A backend that holds connections until it is closed. */
export interface OpenBackend extends Backend {
  /** Calls each function once, independently of requests. */
  checkAtStartup(): Promise<readonly StartupCheck[]>;
  close(): Promise<void>;
}

/** The backend that the settings describe. It starts to load credentials, but does not wait for them. */
export async function openBackend(
  settings: BackendSettings,
  { lists, shadowLists, listActions }: AskedLists,
  log: Log,
  clock: Clock,
  events: BackendEvents,
): Promise<OpenBackend> {
  const { targets, timeoutMs, maxConcurrent } = settings;
  const credentials = await openCredentials(targets, { ...credentialsLog(log), got: events.gotCredentials }, clock);
  const backendLog = new BackendLog(log, clock);
  const clientEvents: ClientEvents = {
    badEntry: (subject, problem) => backendLog.badEntry(subject, problem),
    ignoresShadow: (list) => backendLog.ignoresShadow(list),
    notCounted(entry, isBlind) {
      events.notCounted();
      backendLog.notCounted(entry, isBlind);
    },
  };
  // If there is no connection to the first function, the second needs the rest of the time.
  const connectTimeoutMs = targets.length === 1 ? timeoutMs : Math.ceil(timeoutMs / 2);
  const client = { timeoutMs, connectTimeoutMs, maxConcurrent, shadowLists, listActions };
  const clients = await Promise.all(
    targets.map(async ({ url, region }) => {
      const sign = region && credentials && (await createSigner(region, credentials, clock));
      return {
        url,
        region,
        client: new BackendClient({ url, ...client }, lists, clientEvents, clock, sign || undefined),
      };
    }),
  );
  const [only] = clients;
  const backend =
    clients.length === 1 && only !== undefined
      ? only.client
      : new FailoverBackend(clients, timeoutMs, failoverLog(log), clock);
  return {
    async check(subjects) {
      const startedMs = clock.nowMs();
      try {
        return await backend.check(subjects);
      } catch (error) {
        const backendError = toBackendError(error);
        const { fault, message } = backendError;
        backendLog.failed(backendError);
        if (fault !== 'throttled') events.callFailed(fault, message);
        throw backendError;
      } finally {
        events.called(subjects.length, clock.nowMs() - startedMs);
      }
    },
    checkAtStartup: () => Promise.all(clients.map((each) => checkAtStartup(each, credentials))),
    async close() {
      backendLog.close();
      await backend.close();
    },
  };
}

/** Returns undefined if no calls are signed. */
async function openCredentials(
  targets: BackendSettings['targets'],
  events: CredentialsEvents,
  clock: Clock,
): Promise<Credentials | undefined> {
  const region = targets.find((target) => target.region !== undefined)?.region;
  if (region === undefined) return undefined;
  const credentials = new Credentials(await createCredentialChain(region), clock, events);
  credentials.get().catch(() => {}); // logged by its events
  return credentials;
}
