import type { ListActions } from '../contract/permitted-actions.ts';
import type { Policy } from '../contract/policy.ts';
import type { ConfigFile } from './schema.ts';

/**
 * Everything that can be set, checked and complete: the configuration file as `schema.ts` describes it, but for the few
 * parts that `load.ts` brings into another form.
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
  /** What the operator's script is given beside the subjects. */
  readonly arguments: readonly { readonly name: string; readonly expression: string }[];
  readonly policy: Policy;
}

/** What is sent with a deny of this status, instead of HAProxy's own page. */
export type DenyPage = { readonly status: number } & File['haproxy']['denyPages'][string];

/** One function that can be asked. */
export interface Target {
  readonly url: string;
  /** What calls are signed for; absent where they are not signed. */
  readonly region?: string;
}

export type LogLevel = Settings['log']['level'];
export type HaproxySettings = Settings['haproxy'];

type File = Immutable<ConfigFile>;
type Immutable<T> = T extends object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T;
