import type { MessageSettings, Settings } from '../../config/settings.ts';
import { isSentAt, REQUEST_SCOPE, scopeOf } from '../events.ts';
import {
  ERROR_VARIABLE,
  HEADER_CHANGES,
  headerVariable,
  PROCESS_TIME_VARIABLE,
  TOTAL_TIME_VARIABLE,
  VARIABLES,
} from '../variables.ts';

/** A variable of ours as a rule names it. */
export interface OwnVariable {
  readonly variable: string;
  readonly scope: string;
  readonly prefix: string;
  readonly group?: string;
  readonly name: string;
}

/** What HAProxy sets itself, always in the scope of the request. */
export const HAPROXY_NAMES: readonly string[] = [ERROR_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE];

/** Every name there is behind our prefix, whatever the configuration says. */
export const NAMES: readonly string[] = [...Object.values(VARIABLES), ...HAPROXY_NAMES];

/** Every name that this configuration gives rules to read, behind the name of a group or without. */
export function namesFor({ haproxy }: Settings): string[] {
  return [...NAMES, ...headerNames('req', haproxy.requestHeaders), ...headerNames('res', haproxy.responseHeaders)];
}

export function headerNames(side: 'req' | 'res', headers: readonly string[]): string[] {
  return headers.flatMap((header) => HEADER_CHANGES.map((change) => headerVariable(side, change, header)));
}

/** The message whose decision this variable is part of; undefined for HAProxy's own, and where no message sets it. */
export function messageOf({ messages }: Settings, { scope, group, name }: OwnVariable): MessageSettings | undefined {
  if (HAPROXY_NAMES.includes(name) && group === undefined) return undefined;
  const found = messages.find((message) => message.group === group && scopeOf(message.event) === scope);
  if (found !== undefined || scope !== REQUEST_SCOPE || !name.startsWith('res.')) return found;
  // a decision of the backend is kept for the response under the names of the frontend
  return messages.find((message) => isSentAt(message, { section: 'backend' }));
}
