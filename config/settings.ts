import type { ListActions } from '../contract/permitted-actions.ts';
import type { Policy } from '../contract/policy.ts';
import type { ConfigFile } from './schema.ts';

/**
 * The complete, validated settings: the configuration file as in `schema.ts`, except for a few parts that `load.ts`
 * converts.
 */
export interface Settings extends Omit<File, 'backend' | 'lists' | 'haproxy' | 'messages' | 'blocklist'> {
  readonly backend: Omit<File['backend'], 'url' | 'urls' | 'region'> & { readonly targets: readonly Target[] };
  readonly lists: readonly string[];
  /** The actions of the lists that are restricted to some. */
  readonly listActions: ListActions;
  readonly haproxy: Omit<File['haproxy'], 'denyStatuses' | 'denyPages'> & {
    /** All statuses that HAProxy has deny rules for, in ascending order; those of the policy and of refusals too. */
    readonly denyStatuses: readonly number[];
    readonly denyPages: readonly DenyPage[];
  };
  readonly messages: readonly MessageSettings[];
}

/** One SPOE message: what HAProxy sends, when, and what is decided when there is no verdict about its subjects. */
export interface MessageSettings extends Omit<File['messages'][string], 'subjects' | 'arguments' | 'policy'> {
  readonly name: string;
  /** In the order of the file, which is the order of precedence of the kinds. */
  readonly subjects: readonly { readonly kind: string; readonly expression: string }[];
  /** The arguments of the operator's script in addition to the subjects. */
  readonly arguments: readonly { readonly name: string; readonly expression: string }[];
  readonly policy: Policy;
}

/** The page of a deny with this status, instead of HAProxy's own. */
export type DenyPage = { readonly status: number } & File['haproxy']['denyPages'][string];

/** A function URL to call. */
export interface Target {
  readonly url: string;
  /** The region that calls are signed for; absent if they are not signed. */
  readonly region?: string;
}

export type LogLevel = Settings['log']['level'];
export type HaproxySettings = Settings['haproxy'];

type File = Immutable<ConfigFile>;
type Immutable<T> = T extends object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T;
