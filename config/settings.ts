import type { ListActions } from '../contract/list-actions.ts';
import type { Policy } from '../contract/policy.ts';
import type { Event } from '../haproxy/vocabulary.ts';
import type { ListenAddress } from './listen-address.ts';

export type { ListenAddress } from './listen-address.ts';

/** The HAProxy versions the wiring is written for. */
export const HAPROXY_VERSIONS = [
  '2.4',
  '2.5',
  '2.6',
  '2.7',
  '2.8',
  '2.9',
  '3.0',
  '3.1',
  '3.2',
  '3.3',
  '3.4',
  '3.5',
] as const;
export type HaproxyVersion = (typeof HAPROXY_VERSIONS)[number];

/** The HAProxy events a message can be sent at. */
export const EVENTS = [
  'on-client-session',
  'on-frontend-tcp-request',
  'on-frontend-http-request',
  'on-backend-http-request',
  'on-tcp-response',
  'on-http-response',
] as const satisfies readonly Event[];

/** How the agent tells the function who it is. */
export const AUTHS = ['none', 'iam'] as const;
export type Auth = (typeof AUTHS)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One SPOE message: what HAProxy sends, when, and what is decided when its subjects cannot be known. */
export interface MessageSettings {
  readonly name: string;
  /** When HAProxy sends it by itself; absent where the operator's HAProxy rules send its group. */
  readonly event?: Event;
  readonly group?: string;
  /** An ACL condition without `if`, under which alone it is sent. */
  readonly condition?: string;
  /** Only requests for one of these paths are asked about: as entries name them, in canonical form. */
  readonly paths?: readonly string[];
  /** Only requests for one of these hosts, likewise. */
  readonly hosts?: readonly string[];
  /** What becomes of a path that servers read differently. */
  readonly oddPaths?: 'refuse' | 'pass';
  /** In the order of the file, which is the order of precedence of the kinds. */
  readonly subjects: readonly { readonly kind: string; readonly expression: string }[];
  /** Those of the kinds without which a request is refused, beside `ip`, `host`, `path` and `method`. */
  readonly required?: readonly string[];
  /** What the script receives beside the subjects. */
  readonly arguments: readonly { readonly name: string; readonly expression: string }[];
  readonly policy: Policy;
  /** On trial: what is decided is told and logged, and not enforced. */
  readonly shadow: boolean;
}

/** What is sent with a deny of this status, instead of HAProxy's own page. */
export interface DenyPage {
  readonly status: number;
  readonly file: string;
  readonly contentType: string;
}

/** One function that can be asked. */
export interface Target {
  readonly url: string;
  /** What calls are signed for; absent where they are not signed. */
  readonly region?: string;
}

/** Everything that can be set, checked and complete. Units are in the names; docs/reference/config.md says the rest. */
export interface Settings {
  readonly listen: readonly ListenAddress[];
  readonly backend: {
    readonly targets: readonly Target[];
    readonly auth: Auth;
    readonly timeoutMs: number;
    readonly maxConcurrent: number;
    readonly maxCallsPerSecond: number;
    readonly maxKeysPerSecond: number;
    readonly degradedPercent: number;
    readonly batch: { readonly windowMs: number; readonly maxSubjects: number };
  };
  readonly deadlineMs: number;
  readonly policy: Policy;
  readonly lists: readonly string[];
  /** Those of the lists that are on trial. */
  readonly shadowLists: readonly string[];
  /** Those that are held to actions. */
  readonly listActions: ListActions;
  /** IPv6 subjects are networks of this prefix length; 128 for single addresses. */
  readonly ipv6Prefix: number;
  readonly cache: {
    readonly maxEntries: number;
    readonly allowTtlSeconds: number;
    readonly denyTtlSeconds: number;
    readonly policyTtlSeconds: number;
    /** Where verdicts are kept over a restart; absent for nowhere. */
    readonly file?: string | undefined;
    readonly fileMaxAgeSeconds: number;
  };
  readonly stale: { readonly ifErrorSeconds: number; readonly revalidateSeconds: number };
  readonly workers: number;
  readonly memory: {
    /** The bound of the JavaScript heap, beside what the cache may take of it. */
    readonly heapMegabytes: number;
  };
  readonly messages: readonly MessageSettings[];
  /** The operator's module, as an absolute path. */
  readonly script?: string;
  readonly haproxy: {
    readonly prefix: string;
    readonly version: HaproxyVersion;
    /** The folder that HAProxy takes for its root; absent for none. */
    readonly chroot?: string | undefined;
    /** The backends that entries may route to. */
    readonly backends: readonly string[];
    /** The headers that entries may change, as they are written. */
    readonly requestHeaders: readonly string[];
    readonly responseHeaders: readonly string[];
    readonly bodyContentType: string;
    /** What HAProxy has rules for, in order. */
    readonly denyStatuses: readonly number[];
    readonly denyPages: readonly DenyPage[];
  };
  readonly admin: {
    /** Where HTTP shows the agent; absent for nowhere. */
    readonly listen?: ListenAddress | undefined;
    /** Hosts that requests for it may name. */
    readonly hosts?: readonly string[] | undefined;
    /** The path of the admin socket; absent for none. */
    readonly socket?: string | undefined;
  };
  readonly log: { readonly level: LogLevel };
}
