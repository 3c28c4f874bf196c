import type { Policy } from '../decision/policy.ts';
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
export const EVENTS = ['on-frontend-http-request'] as const;
export type Event = (typeof EVENTS)[number];

/** How the agent tells the function who it is. */
export const AUTHS = ['none', 'iam'] as const;
export type Auth = (typeof AUTHS)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One SPOE message: what HAProxy sends, when, and what is decided when its subjects cannot be known. */
export interface MessageSettings {
  readonly name: string;
  readonly event: Event;
  /** In the order of the file, which is the order of precedence of the kinds. */
  readonly subjects: readonly { readonly kind: string; readonly expression: string }[];
  readonly policy: Policy;
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
    readonly batch: { readonly windowMs: number; readonly maxSubjects: number };
  };
  readonly deadlineMs: number;
  readonly policy: Policy;
  readonly lists: readonly string[];
  /** IPv6 subjects are networks of this prefix length; 128 for single addresses. */
  readonly ipv6Prefix: number;
  readonly cache: {
    readonly maxEntries: number;
    readonly allowTtlSeconds: number;
    readonly denyTtlSeconds: number;
    readonly policyTtlSeconds: number;
  };
  readonly stale: { readonly ifErrorSeconds: number; readonly revalidateSeconds: number };
  readonly workers: number;
  readonly messages: readonly MessageSettings[];
  readonly haproxy: { readonly prefix: string; readonly version: HaproxyVersion };
  readonly log: { readonly level: LogLevel };
}
