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
import { LogClient, type ManifestAnswer } from './log-client.ts';
import { createSigner } from './signer.ts';
import { checkAtStartup, type StartupCheck } from './startup-check.ts';
import type { UpdatesAnswer } from './updates-page.ts';

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

/** A place in the log of changes of one backend. */
export interface LogPlace {
  readonly url: string;
  readonly cursor: string;
}

/** A mirror of one backend. */
export interface KnownMirror {
  readonly url: string;
  readonly id: string;
}

/** What one backend says of its mirror. */
export interface MirrorAnswer {
  readonly url: string;
  readonly answer: ManifestAnswer;
}

export interface LogAnswer {
  readonly url: string;
  /** The end of the log was asked for: what was before is not known. */
  readonly isEnd: boolean;
  readonly answer: UpdatesAnswer;
}

/** A backend that holds connections until it is closed. */
export interface OpenBackend extends Backend {
  /** Calls each function once, independently of requests. */
  checkAtStartup(): Promise<readonly StartupCheck[]>;
  /** The changes after this place, or the end of the log if there is none or the place is in the log of another backend. */
  updates(place: LogPlace | undefined): Promise<LogAnswer>;
  /** Which segments the mirror has, of the backend that lookups go to; `same` if it is this one. */
  manifest(known: KnownMirror | undefined): Promise<MirrorAnswer>;
  /** A segment of that backend's mirror as it was received; `gone` if it has another mirror by now. */
  segment(url: string, id: string, n: number): Promise<Uint8Array | 'gone'>;
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
        log: new LogClient({ url, connectTimeoutMs }, lists, clock, sign || undefined),
      };
    }),
  );
  const [only] = clients;
  const several = clients.length > 1 ? new FailoverBackend(clients, timeoutMs, failoverLog(log), clock) : undefined;
  const backend = several ?? only?.client;
  if (only === undefined || backend === undefined) throw new Error('there is no backend');
  const preferred = () => clients.find(({ url }) => url === several?.preferredUrl) ?? only;
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
    async updates(place) {
      const { url, log } = preferred();
      const after = place?.url === url ? place.cursor : undefined;
      return { url, isEnd: after === undefined, answer: await log.updates(after) };
    },
    async manifest(known) {
      const { url, log } = preferred();
      return { url, answer: await log.manifest(known?.url === url ? known.id : undefined) };
    },
    async segment(url, id, n) {
      return (await clients.find((each) => each.url === url)?.log.segment(id, n)) ?? 'gone';
    },
    async close() {
      backendLog.close();
      await Promise.all([backend.close(), ...clients.map(({ log }) => log.close())]);
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
